"""From counters that only ever grow to the counts of a tick.

A proxy reload sets counters back to zero, a scrape may be missing, late, frozen, NaN or
negative. Whatever cannot be trusted for one version is dropped for both, since the judge
compares like with like; the next good reading then covers the time of the lost one.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from aipipe_deploy.judge.tick import Arm, Tick

FROZEN_REQUESTS = 200
"""The new version answered nothing while the old one answered so many: traffic or metric?"""


class Totals(NamedTuple):
    """Both versions' counters since they began, at time ``t``; None where there is no answer."""

    t: float
    old: Arm | None
    new: Arm | None


class Source(Protocol):
    """Where counters come from: a proxy's statistics, probes, a metrics server."""

    def totals(self) -> Totals:
        """Read the counters now; never raises, a failed reading holds None."""


class Reading(NamedTuple):
    """A tick, or None with the finding that says why; a finding may come with a tick."""

    tick: Tick | None
    finding: str = ""


class CounterReader:
    """Differences of successive :class:`Totals`."""

    __slots__ = ("_idle", "_last")

    def __init__(self) -> None:
        self._last: tuple[float, Arm, Arm] | None = None
        self._idle = 0.0

    def read(self, totals: Totals) -> Reading:
        """Turn one reading into a tick. The first one only sets the base."""
        t, old, new = totals
        for name, arm in (("old", old), ("new", new)):
            problem = _problem(arm)
            if problem:
                return Reading(None, f"the {name} version's counters: {problem}")
        if old is None or new is None or not math.isfinite(t):
            return Reading(None, f"a time of {t}")
        last, self._last = self._last, (t, old, new)
        if last is None:
            return Reading(None)
        return self._difference(last, t, old, new)

    def _difference(self, last: tuple[float, Arm, Arm], t: float, old: Arm, new: Arm) -> Reading:
        last_t, last_old, last_new = last
        if t == last_t and (old, new) == (last_old, last_new):
            return Reading(None, "the same reading came twice")
        if _fell(last_old, old) or _fell(last_new, new):
            return Reading(None, "the counters began anew")
        tick = Tick(t, _minus(old, last_old), _minus(new, last_new))
        self._idle = 0.0 if tick.new.requests else self._idle + tick.old.requests
        if self._idle >= FROZEN_REQUESTS:
            self._idle = 0.0
            return Reading(tick, "the new version's counters stand still while the old one serves")
        return Reading(tick)


def _values(arm: Arm) -> tuple[object, ...]:
    return (arm.requests, arm.bad, *(arm.slow or ()))


def _problem(arm: Arm | None) -> str:
    if arm is None:
        return "no answer"
    for value in _values(arm):
        if not isinstance(value, int | float) or not math.isfinite(value):
            return f"{value} is no count"
        if value < 0:
            return f"{value} is negative"
    return ""


def _fell(before: Arm, after: Arm) -> bool:
    if after.requests < before.requests or after.bad < before.bad:
        return True
    if before.slow is None or after.slow is None:
        return False
    return any(a < b for b, a in zip(before.slow, after.slow, strict=True))


def _minus(after: Arm, before: Arm) -> Arm:
    slow = None
    if after.slow is not None and before.slow is not None:
        a, b = after.slow, before.slow
        slow = (a[0] - b[0], a[1] - b[1], a[2] - b[2])
    return Arm(after.requests - before.requests, after.bad - before.bad, slow)
