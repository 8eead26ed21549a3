"""What is still open: the gaps' lines and branches that no admitted test reaches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.settle import Goal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_aipipe.generate.model import Arc, Gap, Outcome

Piece = tuple[str, object]


class Remaining:
    """Open lines and branches by path; closed for good only by what the gate has seen."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        self.lines: dict[str, set[int]] = {}
        self.arcs: dict[str, set[Arc]] = {}
        for gap in gaps:
            self.lines.setdefault(gap.path, set()).update(gap.lines)
            self.arcs.setdefault(gap.path, set()).update(gap.branches)

    def goal(self) -> Goal:
        """Return all of it as something to reach."""
        return Goal(
            {path: frozenset(found) for path, found in self.lines.items()},
            {path: frozenset(found) for path, found in self.arcs.items()},
        )

    def new_in(self, outcome: Outcome) -> frozenset[Piece]:
        """Return the open pieces that ``outcome`` reached."""
        return pieces(self.goal().reached(outcome))

    def close(self, reached: Goal) -> None:
        """Take away what a test reaches."""
        for path, lines in reached.lines.items():
            self.lines[path] -= lines
        for path, arcs in reached.arcs.items():
            self.arcs[path] -= arcs

    def rest_of(self, gap: Gap) -> Gap:
        """Return what is open of ``gap``."""
        return replace(
            gap,
            lines=gap.lines & self.lines.get(gap.path, set()),
            branches=gap.branches & self.arcs.get(gap.path, set()),
        )


def pieces(goal: Goal) -> frozenset[Piece]:
    """Return a goal's lines and branches as one set."""
    return frozenset(_pieces(goal.lines)) | frozenset(_pieces(goal.arcs))


def _pieces(given: Mapping[str, Iterable[object]]) -> Iterable[Piece]:
    return ((path, one) for path, found in given.items() for one in found)


def part_of(goal: Goal, reached: Goal) -> Goal:
    """Return what ``reached`` holds of ``goal``."""
    return Goal(
        {p: n & reached.lines.get(p, frozenset()) for p, n in goal.lines.items()},
        {p: n & reached.arcs.get(p, frozenset()) for p, n in goal.arcs.items()},
    )


def judged(outcome: Outcome, said: str | None) -> Outcome:
    """Return ``outcome`` with what the gate said: "" is admitted, None that it was not asked."""
    return outcome if said is None else replace(outcome, admitted=not said, refused=said)
