"""A test that passed the gate alone, and what it is kept for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.settle import Goal
from pytest_aipipe.generate.remaining import pieces
from pytest_aipipe.generate.request import AdmittedTest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_aipipe.assertions.settle import Settled
    from pytest_aipipe.generate.model import Gap
    from pytest_aipipe.mutate.model import Mutant

Fault = tuple[str, "Mutant"]
"""A mutant and the absolute path of its module."""


@dataclass(frozen=True, slots=True)
class Kept:
    """``reached`` is all of the gaps that it reaches, ``kills`` the faults it is to notice."""

    settled: Settled
    gap: Gap
    engine: str
    reached: Goal
    size: int
    kills: frozenset[Fault] = frozenset()

    def part_of(self, goal: Goal) -> Goal:
        """Return what of ``goal`` it reaches."""
        return Goal(
            {p: n & self.reached.lines.get(p, frozenset()) for p, n in goal.lines.items()},
            {p: n & self.reached.arcs.get(p, frozenset()) for p, n in goal.arcs.items()},
        )

    def worth(self, goal: Goal) -> frozenset[object]:
        """Return what of ``goal`` it reaches and the faults it notices, as one set."""
        return frozenset(pieces(self.part_of(goal))) | self.kills

    def admitted(self, goal: Goal, file: str, name: str, source: str) -> AdmittedTest:
        """Return it as it was written: its file, name and text there."""
        path = self.gap.path
        part = self.part_of(goal)
        return AdmittedTest(
            module_name=file,
            name=name,
            source=source,
            engine=self.engine,
            technique=self.settled.candidate.technique,
            path=path,
            symbol=self.gap.symbol,
            lines=part.lines.get(path, frozenset()),
            arcs=part.arcs.get(path, frozenset()),
            mocked=self.settled.candidate.mocked,
            pinned=frozenset(fault.line for where, fault in self.kills if where.endswith(path)),
        )


Ran = dict[str, frozenset[int]]


def ran_by(kept: Sequence[Kept]) -> tuple[Ran, Ran]:
    """Return the lines that ``kept`` run, and those of them that they were kept for."""
    ran: Ran = {}
    first: Ran = {}
    for one in kept:
        for path, lines in one.settled.outcome.lines.items():
            ran[path] = ran.get(path, frozenset()) | lines
        for path, lines in one.reached.lines.items():
            ends = {abs(line) for arc in one.reached.arcs.get(path, ()) for line in arc}
            first[path] = first.get(path, frozenset()) | lines | ends
    return ran, first


def lines_run(kept: Sequence[Kept], added: Mapping[str, frozenset[int]]) -> int:
    """Return how many of the ``added`` lines ``kept`` run."""
    ran, _ = ran_by(kept)
    return sum(len(lines & added.get(path, frozenset())) for path, lines in ran.items())
