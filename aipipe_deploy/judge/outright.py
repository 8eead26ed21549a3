"""Faults that need no statistics: the new version answers nothing at all any more."""

from __future__ import annotations

import math

LEAST_SECONDS = 2.5
LEAST_REQUESTS = 6
CHANCE = 1e-6
"""The run must be this improbable at the old version's own rate: both may be failing."""


class TotalFailure:
    """An unbroken run of failures of the new version, while the old one serves.

    A burst of errors, however large, lasts an instant; so a run must last
    ``LEAST_SECONDS`` and hold ``LEAST_REQUESTS`` without one good answer between.
    """

    __slots__ = ("_bad", "_old_bad", "_old_requests", "_seconds")

    def __init__(self) -> None:
        self._restart()

    def observe(
        self, seconds: float, requests: tuple[float, float], bad: tuple[float, float]
    ) -> bool:
        """Take one tick's ``(old, new)`` counts; return whether the new version is gone."""
        if bad[1] < requests[1]:
            self._restart()
            return False
        if bad[1]:
            self._bad += bad[1]
        elif not self._bad:
            return False
        self._seconds += seconds
        self._old_requests += requests[0]
        self._old_bad += bad[0]
        return (
            self._seconds >= LEAST_SECONDS - 1e-9
            and self._bad >= LEAST_REQUESTS
            and bad[1] > 0
            and self._improbable()
        )

    def _improbable(self) -> bool:
        rate = (self._old_bad + 0.5) / (self._old_requests + 1.0)
        return self._bad * math.log(rate) < math.log(CHANCE)

    def _restart(self) -> None:
        self._seconds = 0.0
        self._bad = 0.0
        self._old_requests = 0.0
        self._old_bad = 0.0
