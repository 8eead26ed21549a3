"""A module's text with the positions that both ``ast`` and an editor understand."""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    Located = ast.expr | ast.stmt | ast.excepthandler | ast.keyword | ast.arg


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``text[start:end]`` by ``new``; ``operator`` names the kind of fault."""

    start: int
    end: int
    new: str
    operator: str
    shown: tuple[int, int] | None = None  # a wider stretch to show, where the edit is a token


class Text:
    """Source text; offsets are indices into it, lines are 1-based."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        """Return the index of ``ast``'s position: ``column`` counts UTF-8 bytes."""
        row = self.lines[line - 1] if line <= len(self.lines) else ""
        if row.isascii():
            return self._starts[line - 1] + column
        head = row.encode()[:column].decode(errors="replace")
        return self._starts[line - 1] + len(head)

    def span(self, node: Located) -> tuple[int, int]:
        """Where ``node`` begins and ends."""
        end_line = node.end_lineno or node.lineno
        end_column = node.end_col_offset if node.end_col_offset is not None else node.col_offset
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def of(self, node: Located) -> str:
        """Return the text of ``node``, without parentheses around it."""
        start, end = self.span(node)
        return self.source[start:end]

    def line_at(self, offset: int) -> int:
        """Return the line that ``offset`` lies in."""
        low, high = 0, len(self._starts) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._starts[middle] <= offset else (low, middle - 1)
        return low + 1

    @cached_property
    def tokens(self) -> list[tuple[int, int, str]]:
        """Operators and names as (start, end, text); comments and strings are left out."""
        found = []
        for token in tokenize.generate_tokens(io.StringIO(self.source).readline):
            if token.type in {tokenize.OP, tokenize.NAME}:
                start = self._starts[token.start[0] - 1] + token.start[1]
                end = self._starts[token.end[0] - 1] + token.end[1]
                found.append((start, end, token.string))
        return found

    def between(self, start: int, end: int, words: tuple[str, ...]) -> tuple[int, int] | None:
        """Return the span of the adjacent tokens ``words`` that lie between two offsets."""
        inside = [t for t in self.tokens if start <= t[0] and t[1] <= end]
        for index in range(len(inside) - len(words) + 1):
            run = inside[index : index + len(words)]
            if tuple(t[2] for t in run) == words:
                return run[0][0], run[-1][1]
        return None

    def apply(self, edit: Edit) -> str:
        """Return the text after ``edit``."""
        return self.source[: edit.start] + edit.new + self.source[edit.end :]


def padded(new: str, old: str) -> str:
    """Return ``new`` with as many line breaks as ``old``: later lines keep their number."""
    missing = old.count("\n") - new.count("\n")
    return f"({new}{chr(10) * missing})" if missing > 0 else new
