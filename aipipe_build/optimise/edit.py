"""A Dockerfile while it is changed: what is not touched stays as it was, to the letter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Dockerfile, Instruction


@dataclass(slots=True)
class _Piece:
    instruction: Instruction | None
    leading: str
    source: str


class Draft:
    """The instructions in their order, with the text before each.

    An instruction is named by itself. A comment that stands right above one belongs to it and
    goes where it goes; a blank line, and what is above that, stays where it is.
    """

    def __init__(self, dockerfile: Dockerfile) -> None:
        self._bom = dockerfile.bom
        self._trailing = dockerfile.trailing
        self._pieces = [_Piece(one, one.leading, one.source) for one in dockerfile.instructions]
        # What begins the file may be a directive, and a licence: it stays at the top.
        top = self._pieces[0]
        self._pieces[0] = _Piece(None, "", top.leading)
        self._pieces.insert(1, _Piece(top.instruction, "", top.source))
        self._end = "\r\n" if any("\r\n" in piece.source for piece in self._pieces) else "\n"

    def text(self) -> str:
        """Return the Dockerfile as it is now."""
        body = "".join(piece.leading + piece.source for piece in self._pieces)
        return self._bom + body + self._trailing

    def replace(self, instruction: Instruction, source: str) -> None:
        """Put other text in an instruction's place."""
        self._pieces[self._at(instruction)].source = self._line(source)

    def remove(self, instruction: Instruction, *, keep_comment: bool = False) -> None:
        """Take an instruction away, and its comment with it."""
        at = self._at(instruction)
        piece = self._pieces.pop(at)
        free, attached = split_leading(piece.leading)
        self._give(at, free + (attached if keep_comment else ""))

    def insert_before(self, instruction: Instruction, source: str) -> None:
        """Put text before an instruction and its own comment."""
        at = self._at(instruction)
        free, attached = split_leading(self._pieces[at].leading)
        self._pieces[at].leading = attached
        self._pieces.insert(at, _Piece(None, free, self._line(source)))

    def insert_after(self, instruction: Instruction, source: str) -> None:
        """Put text right after an instruction."""
        at = self._at(instruction)
        self._pieces[at].source = self._line(self._pieces[at].source)
        self._pieces.insert(at + 1, _Piece(None, "", self._line(source)))

    def append(self, source: str) -> None:
        """Put text at the end."""
        last = self._pieces[-1]
        last.source = self._line(last.source)
        self._pieces.append(_Piece(None, self._trailing, self._line(source)))
        self._trailing = ""

    def move_after(self, instruction: Instruction, other: Instruction) -> None:
        """Put an instruction, with its comment, right after another one."""
        at = self._at(instruction)
        piece = self._pieces.pop(at)
        free, attached = split_leading(piece.leading)
        self._give(at, free)
        piece.source = self._line(piece.source)
        to = self._at(other)
        # A file that sets its instructions apart goes on doing so.
        apart = bool(split_leading(self._pieces[to].leading)[0].strip(" \t"))
        piece.leading = (self._end if apart else "") + attached
        self._pieces[to].source = self._line(self._pieces[to].source)
        self._pieces.insert(to + 1, piece)

    def _at(self, instruction: Instruction) -> int:
        return next(at for at, piece in enumerate(self._pieces) if piece.instruction is instruction)

    def _give(self, at: int, leading: str) -> None:
        if at < len(self._pieces):
            self._pieces[at].leading = leading + self._pieces[at].leading
        else:
            self._trailing = leading + self._trailing

    def _line(self, source: str) -> str:
        """Return ``source`` with the file's line ends, and one at its end."""
        text = re.sub(r"\r?\n", self._end, source)
        return text if text.endswith("\n") else text + self._end


def split_leading(leading: str) -> tuple[str, str]:
    """Split what stands before an instruction: what is free, and the comment right above it."""
    lines = leading.splitlines(keepends=True)
    cut = len(lines)
    while cut and lines[cut - 1].lstrip().startswith("#"):
        cut -= 1
    return "".join(lines[:cut]), "".join(lines[cut:])
