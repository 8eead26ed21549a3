"""Evidence from slow requests: an e-process over bands of latency.

The old version's p50, p95 and p99 cut all requests into four bands. Given the bands of all
requests of a second and how many each version served, a version that is no slower holds
its share ``w`` of every band. The bet on an alternative that multiplies band ``j`` by
``m_j`` is::

    product over bands of  m_j**new_j / (1 - w + w*m_j)**(old_j + new_j)

whose expectation is at most 1 whatever the latencies of that second are, as long as they
are the same for both (Turner, Ly, Grünwald 2024, "Generic E-variables for exact sequential
k-sample tests": by the inequality of the means of the two factors). A slowdown that both
versions share therefore cancels out, and so does one that comes and goes.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from aipipe_deploy.judge.mixture import Mixture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aipipe_deploy.judge.tick import Arm

Bands = tuple[float, float, float, float]

ALTERNATIVES: tuple[tuple[float, Bands], ...] = (
    # One bet for each of the three thresholds, and four on the whole distribution.
    (0.15, (0.40, 1.64, 1.0, 1.0)),  # beyond p50 alone
    (0.10, (0.84, 0.84, 4.0, 4.0)),  # beyond p95 alone
    (0.10, (0.955, 0.955, 0.955, 5.5)),  # beyond p99 alone
    (0.25, (0.17, 1.15, 5.6, 17.0)),  # doubled, a narrow distribution
    (0.20, (0.49, 1.30, 3.0, 5.1)),  # doubled, a wide one; or half slower, a narrow one
    (0.20, (0.59, 1.07, 3.1, 10.0)),  # doubled, an exponential one
)
KEPT_STAKE = 0.5
"""What a bet keeps of its stake, at most, when the warm-up ends."""
BLOCK = 1.0
"""Counts are judged over at least this many seconds, so that a share is a share."""
MOST_PER_BLOCK = 3.0
"""A pause of one second is one incident: no bet wins more than this (in nats) by it."""
LEAST_P50 = 1.5
"""A slowdown matters when the odds of being beyond p50 grew so many times,"""
LEAST_P95 = 1.5
"""or the share beyond p95,"""
LEAST_P99 = 2.0
"""or the share beyond p99."""
_RECENT_BLOCKS = 20
_TREND = 3
_TREND_NOISE = 0.8
_MOST_SPLITS = 60_000

_Counts = tuple[float, float, float, float, float, float, float, float]
_NOTHING: _Counts = (0, 0, 0, 0, 0, 0, 0, 0)
_Row = tuple[float, float, float, float, float, float, float]
"""A constant, then what each request beyond p50, p95, p99 adds: of the new, of the old."""
_rows: dict[tuple[float, float], tuple[_Row, ...]] = {}


def rows_of(old: float, new: float) -> tuple[_Row, ...]:
    """For each alternative, how counts become the log of its likelihood ratio.

    Kept by the numbers of requests, since the same few come again and again.
    """
    found = _rows.get((old, new))
    if found is None:
        if len(_rows) >= _MOST_SPLITS:
            _rows.clear()
        found = _rows[old, new] = tuple(_row(bands, old, new) for _, bands in ALTERNATIVES)
    return found


def _row(bands: Bands, old: float, new: float) -> _Row:
    share = new / (old + new)
    o = [-math.log(1.0 - share + share * m) for m in bands]
    n = [math.log(m) + from_old for m, from_old in zip(bands, o, strict=True)]
    constant = n[0] * new + o[0] * old
    return (constant, n[1] - n[0], n[2] - n[1], n[3] - n[2], o[1] - o[0], o[2] - o[1], o[3] - o[2])


class LatencyEvidence:
    """Wealth of the bets that the new version is slower; settled once a second."""

    __slots__ = (
        "_before",
        "_elapsed",
        "_mixture",
        "_ratios",
        "_recent",
        "_scale",
        "_sums",
        "value",
    )

    def __init__(self, *, dispersion: float, seconds: float) -> None:
        self._mixture = Mixture([weight for weight, _ in ALTERNATIVES], seconds=seconds)
        self.value = self._mixture.value
        """The e-value now."""
        self._scale = 1.0 / max(1.0, dispersion)
        self._elapsed = 0.0
        self._sums = _NOTHING
        self._ratios: list[float] = []
        self._before: list[float] = []
        self._recent: deque[_Counts] = deque(maxlen=_RECENT_BLOCKS)

    def observe(self, seconds: float, old: Arm, new: Arm) -> bool:
        """Take one tick's counts; return whether a block was settled."""
        self._elapsed += seconds
        sums = self._sums
        if old.slow is not None and new.slow is not None:
            o50, o95, o99 = old.slow
            n50, n95, n99 = new.slow
            counts = (old.requests, o50, o95, o99, new.requests, n50, n95, n99)
            if sums is _NOTHING:
                self._sums = sums = counts
            else:
                a, b, c, d, e, f, g, h = sums
                o, n = old.requests, new.requests
                sums = (a + o, b + o50, c + o95, d + o99, e + n, f + n50, g + n95, h + n99)
                self._sums = sums
        if self._elapsed < BLOCK - 1e-9:
            return False
        self._mixture.wait(self._elapsed)
        self._elapsed = 0.0
        self._sums = _NOTHING
        if sums[0] and sums[4]:
            self._settle(sums)
        return True

    def excuse(self) -> None:
        """Forget what was won so far, as the warm-up ends; losses stay."""
        self._mixture.forget_above(KEPT_STAKE)
        self.value = self._mixture.value

    def lasts(self) -> bool:
        """Whether it is as slow now as in the beginning: a warm-up gets better by itself.

        The best bet must also win by each of the last two blocks, and the last three must
        not be better than the first three.
        """
        best = self._mixture.best()
        if not all(ratios[best] > 0.0 for ratios in (self._ratios, self._before) if ratios):
            return False
        blocks = list(self._recent)
        first, last = (_severity(part) for part in (blocks[:_TREND], blocks[-_TREND:]))
        return last.mean >= first.mean - _TREND_NOISE * math.sqrt(first.error2 + last.error2)

    def matters(self) -> bool:
        """Whether the last seconds show a slowdown that a user would notice.

        Over many requests the smallest difference is certain; this asks that it be large.
        """
        old, o50, o95, o99, new, n50, n95, n99 = _total(self._recent)
        half = 0.5
        return (
            (n50 + half) * (old - o50 + half) >= LEAST_P50 * (o50 + half) * (new - n50 + half)
            or (n95 + half) * (old + 1) >= LEAST_P95 * (o95 + half) * (new + 1)
            or (n99 + half) * (old + 1) >= LEAST_P99 * (o99 + half) * (new + 1)
        )

    def times_slower(self) -> str:
        """Tell the last seconds' shares beyond each threshold, for the reason given to people."""
        old, o50, o95, o99, new, n50, n95, n99 = _total(self._recent)
        return ", ".join(
            f"{100 * n / new:.1f} % of its requests beyond {name} (old: {100 * o / old:.1f} %)"
            for name, o, n in (("p50", o50, n50), ("p95", o95, n95), ("p99", o99, n99))
        )

    def _settle(self, counts: _Counts) -> None:
        self._recent.append(counts)
        old, o50, o95, o99, new, n50, n95, n99 = counts
        ratios = [
            c + a50 * n50 + a95 * n95 + a99 * n99 + b50 * o50 + b95 * o95 + b99 * o99
            for c, a50, a95, a99, b50, b95, b99 in rows_of(old, new)
        ]
        if self._scale != 1.0:
            ratios = [ratio * self._scale for ratio in ratios]
        if max(ratios) > MOST_PER_BLOCK:
            ratios = [min(ratio, MOST_PER_BLOCK) for ratio in ratios]
        self._before, self._ratios = self._ratios, ratios
        self.value = self._mixture.bet(ratios)


class _Severity(NamedTuple):
    """Mean number of thresholds that the new version's requests passed, and its variance."""

    mean: float
    error2: float


def _total(blocks: Iterable[_Counts]) -> list[float]:
    return [sum(column) for column in zip(*blocks, strict=True)]


def _severity(blocks: Iterable[_Counts]) -> _Severity:
    *_, new, n50, n95, n99 = _total(blocks)
    if not new:
        return _Severity(0.0, 0.0)
    mean = (n50 + n95 + n99) / new
    # A request beyond p95 is beyond p50 as well: 1, 4 and 9 are the squares of 1, 2 and 3.
    square = (n50 + 3.0 * n95 + 5.0 * n99) / new
    return _Severity(mean, max(square - mean * mean, 0.0) / new)
