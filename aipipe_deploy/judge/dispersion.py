"""Over-dispersion: how much more than chance the old version's failures came in clumps.

The variance of the counts of a second over their mean, 1 for failures that come singly. The
variance is taken from the differences of successive seconds (von Neumann 1941), so that a load or
an error rate that drifts through the day does not count as clumping.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAST_BAD = 30
"""With fewer failures nothing is said: clumping is then seen within the window alone."""
LEAST_SECONDS = 10
"""Nor where they fell into fewer seconds: a burst or two say nothing of the rest."""
MOST = 10.0
"""A window's own limits already count no instant for more than a few failures."""
_PRIOR = 10.0
_INCIDENT = 10.0
_INCIDENT_LEAST = 30.0
_MINUTE = 60.0


class Run(NamedTuple):
    """Seconds without a gap: how many they are, and the failures of those that had any."""

    seconds: int
    bad: Mapping[int, float]


def dispersion(runs: Sequence[Run]) -> float:
    """Return the variance over the mean, between 1 and ``MOST``; 1 where too little is known.

    A run that failed so much more than the others that it was an outage is left out: an outage
    strikes both versions alike, and what both share cancels out in the comparison anyhow.
    """
    calm = _without_incidents([run for run in runs if run.seconds > 1])
    counts = sum(sum(run.bad.values()) for run in calm)
    seconds = sum(sum(count > 0 for count in run.bad.values()) for run in calm)
    if counts < LEAST_BAD or seconds < LEAST_SECONDS:
        return 1.0
    # The mean of d*d/2 over the pairs is the variance; that of the counts goes over the seconds.
    squares = sum(_squares(run) * run.seconds / (run.seconds - 1) for run in calm)
    found = (squares + 2.0 * _PRIOR) / (2.0 * (counts + _PRIOR))
    return min(MOST, max(1.0, found))


def _squares(run: Run) -> float:
    """Sum of the squared differences of successive seconds; only where there is a failure."""
    at = run.bad.get
    steps = {step for second in run.bad for step in (second - 1, second)}
    return sum(
        (at(step + 1, 0.0) - at(step, 0.0)) ** 2 for step in steps if 0 <= step < run.seconds - 1
    )


def _without_incidents(runs: Sequence[Run]) -> list[Run]:
    rates = [_MINUTE * sum(run.bad.values()) / run.seconds for run in runs]
    if not rates:
        return []
    most = _INCIDENT * statistics.median(rates) + _INCIDENT_LEAST
    return [run for run, rate in zip(runs, rates, strict=True) if rate <= most]
