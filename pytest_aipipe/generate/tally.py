"""Counts by technique: candidates tried, seconds spent, tests admitted and what they closed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_aipipe.generate.request import AdmittedTest, TechniqueCount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.generate.model import Candidate

Key = tuple[str, str]


class Tally:
    """Keeps the counts while generation runs."""

    def __init__(self) -> None:
        self._tried: dict[Key, int] = defaultdict(int)
        self._seconds: dict[Key, float] = defaultdict(float)

    def tried(self, engine: str, batch: Sequence[Candidate], seconds: float) -> None:
        """Count a batch; its time is shared out evenly."""
        for one in batch:
            self._tried[engine, one.technique] += 1
            self._seconds[engine, one.technique] += seconds / len(batch)

    def spent(self, engine: str, candidate: Candidate, seconds: float) -> None:
        """Count the time that settling and gating a candidate took."""
        self._seconds[engine, candidate.technique] += seconds

    def rows(self, admitted: Sequence[AdmittedTest]) -> list[TechniqueCount]:
        """Return the table; each line and branch counts for the first test that closes it."""
        lines: dict[Key, int] = defaultdict(int)
        branches: dict[Key, int] = defaultdict(int)
        tests: dict[Key, int] = defaultdict(int)
        seen: set[tuple[str, object]] = set()
        for one in admitted:
            key = (one.engine, one.technique)
            tests[key] += 1
            new_lines = {(one.path, n) for n in one.lines} - seen
            new_arcs = {(one.path, arc) for arc in one.arcs} - seen
            lines[key] += len(new_lines)
            branches[key] += len(new_arcs)
            seen |= new_lines
            seen |= new_arcs
        return [
            TechniqueCount(
                *key, self._tried[key], tests[key], lines[key], branches[key], self._seconds[key]
            )
            for key in sorted({*self._tried, *tests})
        ]
