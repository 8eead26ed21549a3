"""A change in pieces for a model: by symbol, with what it needs around it, no function cut.

A piece is one changed symbol, whole, with its changed lines marked and the lines that were
taken away; the headers of the classes around it come before. What is no Python goes hunk by
hunk. Pieces are packed together as long as they fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.change.hunks import lines_of
from aipipe_core.llm.tokens import bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aipipe_core.change.model import Change, FileChange, Hunk, Symbol

MODULE = "<module>"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece, or several that were packed. ``size`` bounds its tokens.

    ``shortened`` names the symbols of which only the changed lines are there, because the
    whole would not have fitted anywhere.
    """

    labels: tuple[str, ...]
    text: str
    size: int
    shortened: tuple[str, ...] = ()


def chunks_of(change: Change, sources: Mapping[str, str], *, most: int) -> list[Chunk]:
    """Return the change in pieces of at most ``most`` tokens, in the order of its files.

    ``sources`` are the texts of the new side by path. Binary files, submodules and deleted
    files are named in a line of their own.
    """
    pieces = [piece for file in change.files for piece in _of_file(file, sources, most)]
    return list(_packed(pieces, most))


def _of_file(file: FileChange, sources: Mapping[str, str], most: int) -> Iterator[Chunk]:
    text = sources.get(file.path)
    if not file.hunks or file.status == "D":
        what = {"D": "deleted", "A": "added", "R": "renamed"}.get(file.status, "changed")
        yield _chunk(file.path, f"{file.path}: {what}, nothing to show\n")
        return
    if text is None or not file.is_python or file.error:
        for hunk in file.hunks:
            yield _bounded(f"{file.path}:{hunk.new_start}", file.path, [hunk], most)
        return
    lines = lines_of(text)
    for symbol, hunks in _by_symbol(file).items():
        label = f"{file.path}::{symbol.qualname if symbol else MODULE}"
        if symbol is None:
            yield _bounded(label, file.path, hunks, most)
            continue
        whole = _chunk(label, _whole(file, symbol, hunks, lines))
        if whole.size <= most:
            yield whole
        else:
            yield _bounded(label, _head(file.path, symbol, lines), hunks, most)


def _by_symbol(file: FileChange) -> dict[Symbol | None, list[Hunk]]:
    """Return the hunks by the outermost function that holds them; None is the module's body."""
    functions = [s for s in file.symbols if "function" in s.kind]
    outer = [
        s
        for s in functions
        if not any(o is not s and o.start <= s.start and s.end <= o.end for o in functions)
    ]
    found: dict[Symbol | None, list[Hunk]] = {}
    for hunk in file.hunks:
        touched = range(hunk.new_start, hunk.new_start + max(1, len(hunk.added)))
        homes: list[Symbol | None] = [
            s for s in outer if s.start <= touched.stop - 1 and touched.start <= s.end
        ]
        for home in homes or [None]:
            found.setdefault(home, []).append(hunk)
    return found


def _whole(file: FileChange, symbol: Symbol, hunks: Iterable[Hunk], lines: list[str]) -> str:
    added = {number for hunk in hunks for number in hunk.new_lines}
    # What was removed stands before the line that took its place.
    gone = {hunk.new_start + (0 if hunk.added else 1): hunk.removed for hunk in hunks}
    out = [f"{file.path}::{symbol.qualname}", *_owners(file, symbol, lines)]
    for number in range(symbol.start, symbol.end + 1):
        out += [f"     - {line}" for line in gone.get(number, ())]
        mark = "+" if number in added else " "
        out.append(f"{number:4} {mark} {lines[number - 1]}".rstrip())
    out += [f"     - {line}" for line in gone.get(symbol.end + 1, ())]
    return "\n".join(out) + "\n"


def _owners(file: FileChange, symbol: Symbol, lines: list[str]) -> list[str]:
    """Return the first lines of the classes around a symbol."""
    around = [
        s
        for s in file.symbols
        if s.kind == "class" and s.start < symbol.start <= symbol.end <= s.end
    ]
    return [f"{s.start:4}   {lines[s.start - 1]}" for s in sorted(around, key=lambda s: s.start)]


def _head(path: str, symbol: Symbol, lines: list[str]) -> str:
    return f"{path}::{symbol.qualname}\n{symbol.start:4}   {lines[symbol.start - 1]}"


def _bounded(label: str, head: str, hunks: Iterable[Hunk], most: int) -> Chunk:
    """Return the changed lines alone; those that do not fit are counted and left out."""
    out, size, left = [head], bound(head), 0
    for hunk in hunks:
        rows = [f"     - {line}" for line in hunk.removed]
        rows += [f"{n:4} + {line}" for n, line in zip(hunk.new_lines, hunk.added, strict=True)]
        for row in rows:
            size += bound(row) + 1
            if size <= most - 20:
                out.append(row)
            else:
                left += 1
    if left:
        out.append(f"     ({left} more changed lines are not shown)")
    text = "\n".join(out) + "\n"
    return Chunk((label,), text, bound(text), (label,) if "::" in head else ())


def _chunk(label: str, text: str) -> Chunk:
    return Chunk((label,), text, bound(text))


def _packed(pieces: Iterable[Chunk], most: int) -> Iterator[Chunk]:
    held: Chunk | None = None
    for piece in pieces:
        if held is not None and held.size + piece.size + 1 <= most:
            held = Chunk(
                held.labels + piece.labels,
                f"{held.text}\n{piece.text}",
                held.size + piece.size + 1,
                held.shortened + piece.shortened,
            )
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held
