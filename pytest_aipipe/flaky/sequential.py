"""Wald's sequential probability ratio test: rerun until the answer is sure enough, then stop.

A. Wald, Sequential Tests of Statistical Hypotheses, Ann. Math. Statist. 16 (1945). The null
hypothesis is a failure rate of at most ``noise`` (what the surroundings alone cause), the
alternative one of at least ``least``. ``false_alarm`` bounds how often a steady test is
called flaky, ``miss`` how often a test that fails at the rate ``least`` is called steady.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FLAKY, STEADY = "flaky", "steady"


@dataclass(slots=True)
class Sequential:
    """One test's evidence. ``tell`` it each rerun until ``verdict`` is not None."""

    least: float = 0.1
    noise: float = 0.0005
    false_alarm: float = 0.01
    miss: float = 0.05
    runs: int = 0
    failures: int = 0

    @property
    def ratio(self) -> float:
        """The logarithm of the likelihood ratio so far."""
        passes = self.runs - self.failures
        return self.failures * math.log(self.least / self.noise) + passes * math.log(
            (1 - self.least) / (1 - self.noise)
        )

    @property
    def verdict(self) -> str | None:
        """``flaky``, ``steady``, or None: another rerun is needed."""
        if self.ratio >= math.log((1 - self.miss) / self.false_alarm):
            return FLAKY
        if self.ratio <= math.log(self.miss / (1 - self.false_alarm)):
            return STEADY
        return None

    def tell(self, *, bad: bool) -> str | None:
        """Count a rerun and return the verdict so far."""
        self.runs += 1
        self.failures += bad
        return self.verdict


def most_runs(least: float, miss: float) -> int:
    """Return how many passes in a row rule out a failure rate of ``least`` but for ``miss``."""
    if least >= 1:
        return 1
    return math.ceil(math.log(miss) / math.log1p(-least))


def smallest_rate(runs: int, miss: float) -> float:
    """Return the failure rate that ``runs`` passes in a row rule out but for ``miss``."""
    return 1 - miss ** (1 / runs) if runs else 1.0
