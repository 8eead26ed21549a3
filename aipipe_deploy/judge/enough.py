"""Sure that it is good: a sequential test of non-inferiority.

The null is turned round: the new version fails at least ``margin`` more of its requests
than the old one does of its own. A bet against that wins by each good answer; at 1/beta
the version may pass. It needs no event in the old version, so that silence from a healthy
service counts, and silence from no traffic does not. The old version's rate is the one of
the ticks before, so the bet is placed before the outcome is seen.
"""

from __future__ import annotations

import math

_PRIOR_REQUESTS = 200.0
_PRIOR_RATE = 0.002
_MEMORY = 120.0
_BLOCK = 4.0
_HOPELESS = 0.5
_MOST = 60.0


class Enough:
    """Log-wealth of the bet that the new version is not worse by the margin."""

    __slots__ = (
        "_bad",
        "_block",
        "_dispersion",
        "_elapsed",
        "_margin",
        "_requests",
        "nats",
        "new",
        "new_bad",
        "old",
        "old_bad",
    )

    def __init__(self, *, margin: float, dispersion: float) -> None:
        self._margin = margin
        self._dispersion = max(1.0, dispersion)
        self._requests = _PRIOR_REQUESTS
        self._bad = _PRIOR_REQUESTS * _PRIOR_RATE
        self.nats = 0.0
        self.old = self.new = self.old_bad = self.new_bad = 0.0
        self._block = [0.0, 0.0, 0.0, 0.0]
        self._elapsed = 0.0

    def observe(
        self, seconds: float, requests: tuple[float, float], bad: tuple[float, float]
    ) -> None:
        """Take one tick's ``(old, new)`` counts."""
        self._elapsed += seconds
        self._block[0] += requests[0]
        self._block[1] += requests[1]
        self._block[2] += bad[0]
        self._block[3] += bad[1]
        if self._elapsed >= _BLOCK:
            self.settle()

    def settle(self) -> None:
        """Bet on what came since the last time, by the old version's rate before it."""
        old, new, old_bad, new_bad = self._block
        self._block = [0.0, 0.0, 0.0, 0.0]
        self.old += old
        self.new += new
        self.old_bad += old_bad
        self.new_bad += new_bad
        rate = self._bad / self._requests
        if old_bad * self._requests > 2.0 * self._bad * old:
            rate = max(rate, old_bad / old)  # an outage starts: hold the old one to it at once
        if new and rate < _HOPELESS:
            worse = rate + self._margin
            expected = rate + self._margin / 4.0
            gain = (new - new_bad) * math.log((1.0 - expected) / (1.0 - worse))
            gain += new_bad * math.log(expected / worse)
            self.nats = min(self.nats + gain / self._dispersion, _MOST)
        kept = math.exp(-self._elapsed / _MEMORY)
        self._requests = self._requests * kept + old + _PRIOR_REQUESTS * (1.0 - kept)
        self._bad = self._bad * kept + old_bad + _PRIOR_REQUESTS * _PRIOR_RATE * (1.0 - kept)
        self._elapsed = 0.0
