"""Which tests, and which of their checks, notice the faults that nothing noticed yet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_aipipe.generate.kept import Fault

MOST_CHECKS = 5
STATEMENT = 0.5

Kills = Mapping["Fault", tuple[int, ...]]
"""The faults that a wide test notices, each with the checks that fail; none: its body does."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The place of a test, the checks it keeps, and the faults it then notices."""

    place: int
    checks: tuple[int, ...]
    kills: frozenset[Fault]


def narrow(place: int, kills: Kills, wanted: frozenset[Fault]) -> Chosen:
    """Return the few checks of one test that notice the most of ``wanted``, the first of equals.

    What its body notices it notices without a check.
    """
    found = {fault: checks for fault, checks in kills.items() if fault in wanted}
    left = {fault for fault, checks in found.items() if checks}
    checks: list[int] = []
    while left and len(checks) < MOST_CHECKS:
        numbers = sorted({n for fault in left for n in found[fault]})
        best = max(numbers, key=lambda n: (sum(n in found[fault] for fault in left), -n))
        checks.append(best)
        left = {fault for fault in left if best not in found[fault]}
    held = frozenset(f for f, tripped in kills.items() if not tripped or {*tripped} & {*checks})
    return Chosen(place, tuple(sorted(checks)), held)


def choose(
    kills: Sequence[Kills], costs: Sequence[int], wanted: frozenset[Fault], most: int
) -> list[Chosen]:
    """Return at most ``most`` tests that notice the most of ``wanted``, the best first.

    A statement more must be worth it: two of them weigh as much as a fault. Among equals
    the cheaper one wins, then the earlier.
    """
    chosen: list[Chosen] = []
    left = wanted
    while left and len(chosen) < most:
        offers = [narrow(n, found, left) for n, found in enumerate(kills)]
        best = max(
            offers,
            key=lambda one: (*_gain(one, costs, left), -one.place),
            default=None,
        )
        if best is None or not best.kills & left:
            break
        chosen.append(best)
        left -= best.kills
    return chosen


def _gain(one: Chosen, costs: Sequence[int], left: frozenset[Fault]) -> tuple[float, int]:
    new = len(one.kills & left)
    return (new - STATEMENT * costs[one.place] if new else -math.inf, -costs[one.place])
