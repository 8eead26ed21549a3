"""Simulated windows of traffic: what the judge is measured on.

Each scenario says, tick by tick, what both versions' users see; requests arrive as a
Poisson process, a proxy gives each to the new version with the canary's share. Latencies
are drawn from a distribution with the old version's p50, p95 and p99 as thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import erf, exp, log, sqrt

import numpy as np

from aipipe_deploy.judge import Arm, Tick

Shape = Callable[[np.ndarray], np.ndarray]
Quantile = dict[str, float]


def lognormal(sigma: float) -> tuple[Callable[[float], float], tuple[float, ...]]:
    """Survival function of exp(sigma*N) and its p50, p95, p99."""

    def survival(x: float) -> float:
        return 0.5 * (1.0 - erf(log(x) / sigma / sqrt(2.0)))

    return survival, (1.0, exp(1.644854 * sigma), exp(2.326348 * sigma))


def exponential() -> tuple[Callable[[float], float], tuple[float, ...]]:
    """Survival function of the exponential distribution and its p50, p95, p99."""
    return lambda x: exp(-x), (log(2.0), log(20.0), log(100.0))


@dataclass(frozen=True)
class Scenario:
    """What one kind of window looks like.

    ``old_rate``/``new_rate`` are error probabilities at time t, ``old_slow``/``new_slow``
    factors on latency, ``bursts`` the expected number of bursts of ten errors in a window
    that strike ``burst_arm`` (``old``, ``new``, ``any`` by share, ``either`` evenly).
    """

    name: str
    rps: float = 50.0
    share: float = 0.1
    seconds: float = 600.0
    step: float = 1.0
    background: float = 0.002
    dispersion: float = 1.0
    old_rate: Shape | None = None
    new_rate: Shape | None = None
    old_slow: Shape | None = None
    new_slow: Shape | None = None
    load: Shape | None = None
    shares: Shape | None = None
    bursts: float = 0.0
    burst_arm: str = "new"
    latency: tuple[Callable[[float], float], tuple[float, ...]] = field(
        default_factory=lambda: lognormal(0.5)
    )
    fault_at: float | None = None


def constant(value: float) -> Shape:
    """Return the same at all times."""
    return lambda t: np.full_like(t, value)


def between(low: float, high: float, inside: float, outside: float) -> Shape:
    """``inside`` for low <= t < high, ``outside`` else."""
    return lambda t: np.where((t >= low) & (t < high), inside, outside)


def _bands(scenario: Scenario, factor: np.ndarray) -> np.ndarray:
    survival, quantiles = scenario.latency
    rows = {f: [survival(q / f) for q in quantiles] for f in set(np.round(factor, 4).tolist())}
    beyond = np.array([rows[f] for f in np.round(factor, 4).tolist()])
    p50, p95, p99 = beyond.T
    return np.stack([1.0 - p50, p50 - p95, p95 - p99, p99], axis=1)


def _errors(rng: np.random.Generator, n: np.ndarray, rate: np.ndarray, phi: float) -> np.ndarray:
    if phi <= 1.0:
        return rng.binomial(n, rate)
    # A compound Poisson stream of geometric clusters, of variance phi times the mean.
    size = (phi + 1.0) / 2.0
    clusters = rng.poisson(n * rate / size)
    total = clusters + rng.negative_binomial(np.maximum(clusters, 1), 1.0 / size) * (clusters > 0)
    return np.minimum(total, n)


def _arm(
    rng: np.random.Generator,
    scenario: Scenario,
    t: np.ndarray,
    n: np.ndarray,
    rate: Shape | None,
    slow: Shape | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rates = (rate or constant(scenario.background))(t)
    # Faults are single errors on top of a background that may be clumped.
    base = np.minimum(rates, scenario.background)
    bad = _errors(rng, n, base, scenario.dispersion)
    extra = rng.binomial(n, np.clip(rates - base, 0.0, 1.0))
    bad = np.minimum(bad + extra, n)
    bands = rng.multinomial(n, _bands(scenario, (slow or constant(1.0))(t)))
    beyond = np.cumsum(bands[:, ::-1], axis=1)[:, 2::-1]
    return n, bad, beyond


def windows(scenario: Scenario, count: int, seed: int) -> Iterator[list[Tick]]:
    """``count`` windows of a scenario, the same for the same seed."""
    for index in range(count):
        yield window(scenario, np.random.default_rng([seed, index]))


def window(scenario: Scenario, rng: np.random.Generator) -> list[Tick]:
    """One window's ticks."""
    ticks = int(scenario.seconds / scenario.step)
    end = (np.arange(ticks) + 1) * scenario.step
    t = end - scenario.step
    load = (scenario.load or constant(1.0))(t) * scenario.rps * scenario.step
    share = (scenario.shares or constant(scenario.share))(t)
    old_n, new_n = rng.poisson(load * (1 - share)), rng.poisson(load * share)
    old = _arm(rng, scenario, t, old_n, scenario.old_rate, scenario.old_slow)
    new = _arm(rng, scenario, t, new_n, scenario.new_rate, scenario.new_slow)
    for _ in range(rng.poisson(scenario.bursts)):
        at = int(rng.integers(ticks))
        odds = {"new": 1.0, "old": 0.0, "either": 0.5}.get(scenario.burst_arm, scenario.share)
        arm = new if rng.random() < odds else old
        arm[0][at] += 10
        arm[1][at] += 10
    return _as_ticks(end, old, new)


def _as_ticks(
    end: np.ndarray,
    old: tuple[np.ndarray, np.ndarray, np.ndarray],
    new: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> list[Tick]:
    columns = [a.tolist() for a in (end, *old, *new)]
    return [
        Tick(t, Arm(on, ob, tuple(os)), Arm(nn, nb, tuple(ns)))
        for t, on, ob, os, nn, nb, ns in zip(*columns, strict=True)
    ]
