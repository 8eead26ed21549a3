"""A test that passed the gate alone, and what it is kept for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_aipipe.generate.remaining import pieces

if TYPE_CHECKING:
    from pytest_aipipe.assertions.settle import Goal, Settled
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

    def worth(self, goal: Goal) -> frozenset[object]:
        """Return what of ``goal`` it reaches and the faults it notices, as one set."""
        lines = {p: n & self.reached.lines.get(p, frozenset()) for p, n in goal.lines.items()}
        arcs = {p: n & self.reached.arcs.get(p, frozenset()) for p, n in goal.arcs.items()}
        return frozenset(pieces(type(goal)(lines, arcs))) | self.kills
