"""Which commit each line of each file comes from, kept up to date commit by commit.

What ``git blame -w -M -C`` finds by looking back from one revision, this knows at every
commit of the history in one pass forward: an edit replaces a few entries of an array, a
re-indented or moved line keeps its origin, and a merge takes what came from the other side
from there. Lines are told apart by a checksum of their text without outer spaces.
"""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aipipe.past.commit import FilePatch, PastCommit

UNKNOWN = -1
TELLING = 12
"""Characters that a line needs to be known again elsewhere: ``return None`` stands everywhere."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A file's lines: the commit that each comes from, by number, and its text's checksum."""

    origins: array[int]
    marks: array[int]


EMPTY = Lines(array("i"), array("I"))
Tree = dict[str, Lines]


def mark(line: bytes) -> int:
    """Return the checksum of a line, the same however it is indented."""
    return zlib.crc32(line.strip())


def removed_origins(tree: Mapping[str, Lines], file: FilePatch) -> list[list[int]]:
    """Return, for each hunk, the commits that its removed lines come from."""
    lines = tree.get(file.before, EMPTY).origins
    return [
        list(lines[hunk.old - 1 : hunk.old - 1 + len(hunk.removed)]) if hunk.removed else []
        for hunk in file.hunks
    ]


def neighbours(tree: Mapping[str, Lines], file: FilePatch) -> list[int]:
    """Return the commits that the lines next to pure insertions come from."""
    lines = tree.get(file.before, EMPTY).origins
    found: list[int] = []
    for hunk in file.hunks:
        if not hunk.removed:
            found += lines[max(hunk.old - 1, 0) : hunk.old + 1]
    return found


def applied(
    tree: Tree,
    commit: PastCommit,
    number: int,
    tracked: Iterable[FilePatch],
    others: Sequence[Tree] = (),
) -> Tree:
    """Return the tree after ``commit``, which has ``number``; ``tree`` stays as it is.

    ``tracked`` are the commit's files whose lines are followed; ``others`` are the trees of
    a merge's further parents.
    """
    made = dict(tree)
    files = list(tracked)
    moved = {} if commit.is_merge else _moved(tree, files)
    for file in files:
        if file.status in ("D", "R"):
            made.pop(file.before, None)
        if file.status == "D" or file.binary:
            made.pop(file.path, None)
            continue
        old = tree.get(file.before, EMPTY)
        if others:
            made[file.path] = _merged(old, file, number, others)
        else:
            made[file.path] = _edited(old, file, number, moved, TELLING)
    return made


def _merged(old: Lines, file: FilePatch, number: int, others: Sequence[Tree]) -> Lines:
    """Return the lines of a merged file: another parent's own where it is the same, else mixed."""
    theirs = [lines for tree in others if (lines := tree.get(file.path) or tree.get(file.before))]
    known: dict[int, int] = {}
    for lines in theirs:
        known.update(zip(lines.marks, lines.origins, strict=True))
    made = _edited(old, file, number, known, 0)
    return next((lines for lines in theirs if lines.marks == made.marks), made)


def _moved(tree: Mapping[str, Lines], files: Iterable[FilePatch]) -> dict[int, int]:
    """Return the origins of the removed lines by mark: where one is added again, it moved."""
    found: dict[int, int] = {}
    for file in files:
        for hunk, origins in zip(file.hunks, removed_origins(tree, file), strict=True):
            for line, origin in zip(hunk.removed, origins, strict=False):
                if len(line.strip()) >= TELLING:
                    found[mark(line)] = origin
    return found


def _edited(
    old: Lines, file: FilePatch, number: int, known: Mapping[int, int], telling: int
) -> Lines:
    """Return the lines after the file's hunks.

    ``known`` has origins by mark, for added lines of at least ``telling`` characters.
    """
    origins, marks = array("i"), array("I")
    position = 0
    for hunk in file.hunks:
        start = hunk.old - 1 if hunk.removed else hunk.old
        start = min(max(start, position), len(old.origins))
        origins += old.origins[position:start]
        marks += old.marks[position:start]
        here = dict(
            zip(
                old.marks[start : start + len(hunk.removed)],
                old.origins[start : start + len(hunk.removed)],
                strict=True,
            )
        )
        for line in hunk.added:
            sign = mark(line)
            origin = here.get(sign, UNKNOWN)
            if origin == UNKNOWN and known and len(line.strip()) >= telling:
                origin = known.get(sign, UNKNOWN)
            origins.append(number if origin == UNKNOWN else origin)
            marks.append(sign)
        position = start + len(hunk.removed)
    origins += old.origins[position:]
    marks += old.marks[position:]
    return Lines(origins, marks)
