"""What others decide by: the methods that the judge is measured beside."""

from __future__ import annotations

from collections.abc import Callable
from math import erfc, sqrt

import numpy as np

from aipipe_deploy.judge import Judge, JudgeSettings, Tick

EVERY = 10.0
"""Seconds between the looks of the rivals, as their users run them."""
MINUTE = 60.0
_LEVEL = 0.05
Rival = Callable[[list[Tick], float], float | None]
"""Ticks and the known dispersion to the time of rollback, None for none."""


def e_process(ticks: list[Tick], dispersion: float) -> float | None:
    """Our judge."""
    judge = Judge(JudgeSettings(dispersion=dispersion))
    for t, old, new, _ in ticks:
        if judge.observe(t, old, new):
            break
    verdict = judge.finish()
    return verdict.t if verdict.outcome == "fail" else None


def _looks(ticks: list[Tick]) -> list[int]:
    step = ticks[1].t - ticks[0].t
    every = max(1, round(EVERY / step))
    return list(range(every, len(ticks) + 1, every))


def _columns(ticks: list[Tick]) -> np.ndarray:
    rows = [
        (
            old.requests,
            old.bad,
            (old.slow or (0,) * 3)[1],
            new.requests,
            new.bad,
            (new.slow or (0,) * 3)[1],
        )
        for _, old, new, _ in ticks
    ]
    return np.array(rows, dtype=float)


def threshold(ticks: list[Tick], dispersion: float) -> float | None:
    """More than 1 % errors, or 10 % of requests beyond p95, over a minute; looked at so often."""
    del dispersion
    data = _columns(ticks)
    width = max(1, round(MINUTE / (ticks[1].t - ticks[0].t)))
    for end in range(width, len(ticks) + 1, width):
        requests, bad, slow = data[end - width : end, 3:].sum(axis=0)
        if requests and (bad > 0.01 * requests or slow > 0.10 * requests):
            return ticks[end - 1].t
    return None


def peeking_z(ticks: list[Tick], dispersion: float) -> float | None:
    """Run a two-proportion z-test on all so far, at every look (one-sided 5 %)."""
    del dispersion
    total = np.cumsum(_columns(ticks), axis=0)
    for end in _looks(ticks):
        n0, b0, s0, n1, b1, s1 = total[end - 1]
        if min(n0, n1) and max(_z(b0, n0, b1, n1), _z(s0, n0, s1, n1)) > 1.645:
            return ticks[end - 1].t
    return None


def _z(k0: float, n0: float, k1: float, n1: float) -> float:
    p = (k0 + k1) / (n0 + n1)
    error = sqrt(p * (1.0 - p) * (1.0 / n0 + 1.0 / n1))
    return (k1 / n1 - k0 / n0) / error if error else 0.0


def mann_whitney(ticks: list[Tick], dispersion: float) -> float | None:
    """Mann-Whitney on the rates of each tick so far, at every look (one-sided 5 %)."""
    del dispersion
    data = _columns(ticks)
    for end in _looks(ticks):
        part = data[:end]
        old, new = part[part[:, 0] > 0], part[part[:, 3] > 0]
        if not len(old) or not len(new):
            continue
        for column in (1, 2):
            if _rank_p(old[:, column] / old[:, 0], new[:, column + 3] / new[:, 3]) < _LEVEL:
                return ticks[end - 1].t
    return None


def _rank_p(x: np.ndarray, y: np.ndarray) -> float:
    both = np.concatenate([x, y])
    values, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
    if len(values) == 1:
        return 1.0
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2.0)[inverse]
    n, m = len(x), len(y)
    u = ranks[n:].sum() - m * (m + 1) / 2.0
    total = n + m
    ties = float((counts**3 - counts).sum()) / (total * (total - 1))
    error = sqrt(n * m / 12.0 * (total + 1 - ties))
    return 0.5 * erfc((u - n * m / 2.0) / error / sqrt(2.0)) if error else 1.0


RIVALS: dict[str, Rival] = {
    "aipipe-deploy": e_process,
    "fixed threshold": threshold,
    "Mann-Whitney, peeking": mann_whitney,
    "z-test, peeking": peeking_z,
}
