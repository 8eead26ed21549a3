"""The tick: what both versions answered since the tick before."""

from __future__ import annotations

from typing import NamedTuple

SANE = 1e12
"""More requests than this in one tick are a broken counter, not traffic."""


class Arm(NamedTuple):
    """What one version answered in one tick.

    ``slow`` counts the requests slower than the old version's p50, p95 and p99 as they
    were before the deploy (so a slower-than-p99 request counts three times), or None
    where latency was not measured.
    """

    requests: float
    bad: float = 0
    slow: tuple[float, float, float] | None = None


class Tick(NamedTuple):
    """Counts of both versions in the seconds that end at ``t``.

    ``crash`` names a fault that needs no statistics: the new version's container died,
    was killed for memory, or never became ready.
    """

    t: float
    old: Arm
    new: Arm
    crash: str = ""


def fault_of(arm: Arm) -> str:
    """Tell what makes this arm's counts unusable, or an empty string.

    Comparisons are written so that NaN fails them.
    """
    requests, bad, slow = arm
    if not 0 <= requests <= SANE:
        return f"a count of {requests} requests"
    if not 0 <= bad <= requests:
        return f"{bad} bad of {requests} requests"
    if slow is not None and not requests >= slow[0] >= slow[1] >= slow[2] >= 0:
        return f"slow counts {slow} that do not nest within {requests} requests"
    return ""
