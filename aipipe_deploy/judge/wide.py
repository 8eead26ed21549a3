"""Evidence from failed requests when nearly all traffic is the new version's already.

With 95 % of the traffic a failed request is the new version's anyhow: a single one says next to
nothing, and the credit that the other bet grants to the errors of one instant leaves it no
chance. What speaks then is that the few who stay with the old version fail so much less. This
bet counts every error, and wins no more than a factor of 20 by one second, so that one burst,
however large, is not enough. It is placed only while the new version's share is at least
``LEAST_SHARE``; a burst of ten errors is then worth a factor of ten at most.
"""

from __future__ import annotations

import math

from aipipe_deploy.judge.bad import null_probability

LEAST_SHARE = 0.8
MOST_PER_BLOCK = 3.0
_BLOCK = 1.0
_ODDS = (2.0, 8.0, 60.0)
"""The alternatives: by how much the new version's odds of an error exceed the old one's."""


class WideEvidence:
    """Wealth of the bets; ``value`` is their mean, an e-value."""

    __slots__ = ("_dispersion", "_seconds", "_sums", "_tolerance", "_wealth", "value")

    def __init__(self, *, tolerance: float, dispersion: float) -> None:
        self._tolerance = tolerance
        self._dispersion = max(1.0, dispersion)
        self._wealth = [0.0] * len(_ODDS)
        self._sums = [0.0, 0.0, 0.0, 0.0]
        self._seconds = 0.0
        self.value = 1.0

    def observe(
        self, seconds: float, requests: tuple[float, float], bad: tuple[float, float]
    ) -> float:
        """Take one tick's ``(old, new)`` counts; return the e-value."""
        for index, count in enumerate((*requests, *bad)):
            self._sums[index] += count
        self._seconds += seconds
        if self._seconds >= _BLOCK - 1e-9:
            self._settle()
        return self.value

    def _settle(self) -> None:
        old, new, old_bad, new_bad = self._sums
        self._sums = [0.0, 0.0, 0.0, 0.0]
        self._seconds = 0.0
        errors = old_bad + new_bad
        if not old or not errors or new < LEAST_SHARE * (old + new):
            return
        null = null_probability(new / (old + new), self._tolerance)
        for index, odds in enumerate(_ODDS):
            gain = new_bad * math.log(odds) - errors * math.log(1.0 - null + null * odds)
            self._wealth[index] += min(gain / self._dispersion, MOST_PER_BLOCK)
        self.value = sum(math.exp(min(wealth, 600.0)) for wealth in self._wealth) / len(_ODDS)
