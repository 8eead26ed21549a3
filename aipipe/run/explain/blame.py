"""Which hunk of a change is most likely at fault for a failure, and why.

Each hunk collects weights: a place of the trace inside it counts most, one in the same
function less, one in the same file least, each the less the farther from the error; what
failing tests are known to run, and files that were mended often before, add a little. The
weights order hunks and mean nothing by themselves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe_core.change import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe.run.explain.traces import Place, Trace
    from aipipe_core.change import Change, FileChange, Hunk

INSIDE, SAME_FUNCTION, SAME_FILE = 8.0, 4.0, 1.5
IMPORTED = 1.0
"""A failing test's file name, or the module of the trace, has the file's own name in it."""
PAST_FIX = 0.1
NEAR = 3


@dataclass(frozen=True, slots=True)
class Suspect:
    """A hunk with what speaks against it; ``start`` and ``end`` are lines of the new side."""

    path: str
    start: int
    end: int
    weight: float
    why: str


def suspects(change: Change, trace: Trace, fixes: Mapping[str, int]) -> list[Suspect]:
    """Return the hunks that anything speaks against, the most suspect first.

    ``fixes`` has the number of past fixes by path.
    """
    found = []
    for file in change.files:
        for hunk in file.hunks:
            weight, why = _against(file, hunk, trace)
            if weight:
                past = fixes.get(file.old_path or file.path, 0)
                weight += PAST_FIX * math.log2(1 + past)
                end = hunk.new_start + max(len(hunk.added), 1) - 1
                found.append(Suspect(file.path, max(hunk.new_start, 1), max(end, 1), weight, why))
    return sorted(found, key=lambda one: (-one.weight, one.path, one.start))


def _against(file: FileChange, hunk: Hunk, trace: Trace) -> tuple[float, str]:
    best, why = 0.0, ""
    for place in trace.places:
        if place.path != file.path:
            continue
        weight, words = _by_place(file, hunk, place)
        # The test is where a failure shows and seldom where it is made.
        weight *= (0.5 if Kind.TESTS in file.kinds else 1.0) / (1 + place.depth)
        if weight > best:
            best, why = weight, words
    if not best and _is_named(file.path, trace.tests):
        best, why = IMPORTED, "the failed test bears this file's name"
    return best, why


def _by_place(file: FileChange, hunk: Hunk, place: Place) -> tuple[float, str]:
    first, last = hunk.new_start, hunk.new_start + max(len(hunk.added), 1) - 1
    if first <= place.line <= last:
        return INSIDE, f"the error passes through line {place.line}"
    for symbol in file.symbols:
        if symbol.kind == "module" or not symbol.start <= place.line <= symbol.end:
            continue
        if symbol.start <= first <= symbol.end:
            return SAME_FUNCTION, f"the error passes through {symbol.qualname}, which changed here"
    distance = min(abs(place.line - first), abs(place.line - last))
    nearness = 1 / (1 + distance / 50)
    return SAME_FILE + nearness, f"the error passes through line {place.line} of this file"


def _is_named(path: str, tests: Sequence[str]) -> bool:
    stem = PurePosixPath(path).stem
    return len(stem) >= NEAR and any(
        stem in PurePosixPath(test.partition("::")[0]).stem.split("test_", 1)[-1].split("_")
        or PurePosixPath(test.partition("::")[0]).stem in (f"test_{stem}", f"{stem}_test")
        for test in tests
    )
