"""Tests that expect an error which the code never raises on purpose: the last resort.

They are kept aside, and written only for what nothing else reaches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.assertions.settle import IsRaise, is_accident
from pytest_aipipe.generate.proposals import unreached
from pytest_aipipe.generate.remaining import Piece, pieces

if TYPE_CHECKING:
    from pytest_aipipe.generate.kept import Kept
    from pytest_aipipe.generate.model import Outcome
    from pytest_aipipe.generate.remaining import Remaining
    from pytest_aipipe.generate.rota import Turn, Work

ENOUGH = 120  # candidates for one gap after which an accident is thought to be all there is


class Accidents(list["Kept"]):
    """The tests that are kept aside."""

    def reached(self) -> frozenset[Piece]:
        """Return all that they reach."""
        return frozenset(piece for one in self for piece in pieces(one.reached))

    def are_all_for(self, work: Work, remaining: Remaining) -> bool:
        """Whether only they reach what is open of a gap, and enough else was tried."""
        if work.had < ENOUGH or not self:
            return False
        rest = remaining.rest_of(work.gap)
        return {(rest.path, one) for one in (*rest.lines, *rest.branches)} <= self.reached()


def heard(turn: Turn, outcome: Outcome, is_raise: IsRaise) -> Outcome:
    """Return what an engine hears of an outcome: an accident, at first, reached nothing.

    Else the engine would be content with an input that the code was never meant for.
    """
    if turn.work.had < ENOUGH and is_accident(outcome, is_raise):
        return unreached(outcome, turn.gap)
    return outcome
