"""The exact interval of Clopper and Pearson for a rate (Biometrika 26, 1934)."""

from __future__ import annotations

import math

CONFIDENCE = 0.95


def interval(failures: int, runs: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the rates that ``failures`` of ``runs`` do not rule out.

    After a sequential test that stopped early it is conservative on the side of the stop.
    """
    if not 0 <= failures <= runs:
        raise ValueError(f"{failures} failures of {runs} runs")
    if runs == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if failures == 0 else _solve(failures - 1, runs, 1 - tail)
    high = 1.0 if failures == runs else _solve(failures, runs, tail)
    return low, high


def _solve(most: int, runs: int, target: float) -> float:
    """Return the rate at which at most ``most`` failures have the probability ``target``."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(most, runs, middle) > target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(most: int, runs: int, rate: float) -> float:
    if rate in (0.0, 1.0):
        return 1.0 if rate == 0.0 or most >= runs else 0.0
    total = 0.0
    for count in range(most + 1):
        ways = math.lgamma(runs + 1) - math.lgamma(count + 1) - math.lgamma(runs - count + 1)
        total += math.exp(ways + count * math.log(rate) + (runs - count) * math.log1p(-rate))
    return min(total, 1.0)


def words(failures: int, runs: int) -> str:
    """Return e.g. ``3 of 10 runs, 30 % (95 %: 7 to 65 %)``."""
    low, high = interval(failures, runs)
    share = 100 * failures / runs if runs else 0
    return f"{failures} of {runs} runs, {share:.0f} % (95 %: {100 * low:.0f} to {100 * high:.0f} %)"
