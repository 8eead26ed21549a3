"""Evidence from failed requests: a conditional-binomial e-process.

Given that a request failed, the null says that it belongs to the new version with
probability at most ``tol*w / (tol*w + 1 - w)``, w being the new version's share of the
traffic. Whatever fails both versions alike, for a second or an hour, cancels out. The
alternatives are a Beta distribution truncated to probabilities above that, cut into
slices of equal mass.
"""

from __future__ import annotations

import math
from functools import cache

from aipipe_deploy.judge.mixture import Mixture
from aipipe_deploy.judge.spread import Spread

SLICES = 8
_REFERENCE_SHARE = 0.1
_BETA = (3.0, 1.0)
_SHARE_MEMORY = 3.0
_MOST_PER_TICK = 300.0


def truncated_beta_points(a: float, b: float, low: float, count: int) -> list[float]:
    """Middles of ``count`` slices of equal mass of a Beta(a, b) truncated to (low, 1)."""
    steps = 4000
    width = (1.0 - low) / steps
    grid = [low + (i + 0.5) * width for i in range(steps)]
    density = [x ** (a - 1.0) * (1.0 - x) ** (b - 1.0) for x in grid]
    total = sum(density)
    points: list[float] = []
    mass = 0.0
    for x, d in zip(grid, density, strict=True):
        mass += d / total
        if len(points) < count and mass >= (len(points) + 0.5) / count:
            points.append(x)
    return points


@cache
def odds_ratios(low: float, count: int) -> tuple[float, ...]:
    """Return the alternatives as odds ratios against the null's probability ``low``."""
    null = low / (1.0 - low)
    return tuple(p / (1.0 - p) / null for p in truncated_beta_points(*_BETA, low, count))


class BadEvidence:
    """Wealth of the bets that the new version fails more than its share.

    ``value`` is the e-value; ``raw_excess`` holds all errors, bursts included.
    """

    __slots__ = (
        "_dispersion",
        "_kept",
        "_mixture",
        "_new",
        "_quiet",
        "_ratios",
        "_spread",
        "_step",
        "_tolerance",
        "_total",
        "raw_excess",
    )

    def __init__(self, *, tolerance: float, dispersion: float, seconds: float) -> None:
        low = null_probability(_REFERENCE_SHARE, tolerance)
        self._ratios = odds_ratios(low, SLICES)
        self._mixture = Mixture([1.0 / SLICES] * SLICES, seconds=seconds)
        self._spread = Spread()
        self._tolerance = tolerance
        self._dispersion = max(1.0, dispersion)
        self._new = 0.0
        self._total = 0.0
        self._quiet = 0.0
        self._step = 0.0
        self._kept = 1.0
        self.raw_excess = RawExcess()

    @property
    def value(self) -> float:
        """The e-value now."""
        return self._mixture.value

    @property
    def clumping(self) -> float:
        """How clumped the new version's errors are; 1 for errors that come singly."""
        return self._spread.clumping()

    def observe(
        self, seconds: float, requests: tuple[float, float], bad: tuple[float, float]
    ) -> float:
        """Take one tick's ``(old, new)`` counts; return the e-value."""
        old, new = requests
        if seconds != self._step:
            self._step = seconds
            self._kept = math.exp(-seconds / _SHARE_MEMORY)
        self._new = self._new * self._kept + new
        self._total = self._total * self._kept + new + old
        self._quiet += seconds
        old_bad, new_bad = bad
        if not (old_bad or new_bad):
            return self._mixture.value
        self._spread.wait(self._quiet, seconds)
        self._mixture.wait(self._quiet)
        self._quiet = 0.0
        share = self._share(old, new)
        if not 0.0 < share < 1.0:
            return self._mixture.value
        fair = old_bad * share / (1.0 - share)
        # Either limit answers the same doubt, so that the stricter one holds and not both.
        counted = self._spread.counted(new_bad, fair) if new_bad else 0.0
        counted = min(counted, new_bad / self._dispersion)
        null = null_probability(share, self._tolerance)
        self.raw_excess.add(new_bad, old_bad, null)
        return self._bet(counted, old_bad / self._dispersion, null)

    def _bet(self, new_bad: float, old_bad: float, null: float) -> float:
        log = math.log
        events = new_bad + old_bad
        ratios = [new_bad * log(r) - events * log(1.0 + null * (r - 1.0)) for r in self._ratios]
        if max(ratios) > _MOST_PER_TICK:
            ratios = [min(ratio, _MOST_PER_TICK) for ratio in ratios]
        return self._mixture.bet(ratios)

    def _share(self, old: float, new: float) -> float:
        """Return the new version's share over the last seconds; the tick's own when it jumped up.

        A tick of a few requests in which the new version failed has, by that very choice,
        more than its usual share, and judging by it would throw evidence away.
        """
        share = self._new / self._total
        expected = share * (new + old)
        if new > expected + 3.0 * math.sqrt(expected) + 1.0:
            return new / (new + old)
        return share


class RawExcess:
    """All errors as they came, bursts included: too many of them forbid a pass."""

    __slots__ = ("_expected", "_new", "_total")

    def __init__(self) -> None:
        self._new = 0.0
        self._total = 0.0
        self._expected = 0.0

    def add(self, new: float, old: float, null: float) -> None:
        """Count one tick's errors and how many of them the null gives the new version."""
        self._new += new
        self._total += new + old
        self._expected += (new + old) * null

    def nats(self) -> float:
        """Return the largest log-likelihood ratio that any alternative reaches; 0 for no excess."""
        if self._new <= self._expected or not self._total:
            return 0.0
        p, q = self._new / self._total, self._expected / self._total
        rest = (1.0 - p) * math.log((1.0 - p) / (1.0 - q)) if p < 1.0 else 0.0
        return self._total * (p * math.log(p / q) + rest)


def null_probability(share: float, tolerance: float) -> float:
    """Largest probability under the null that an error belongs to the new version."""
    return tolerance * share / (tolerance * share + 1.0 - share)
