"""The judge's settings, each with the reason for its default."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aipipe_core.errors import RequestError


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How sure the judge must be, and what it overlooks.

    Raises :class:`RequestError` (``judge-setting``) for a value out of its range.
    """

    seconds: float = 600.0
    """Length of the watch window."""
    alpha: float = 0.007
    """Chance of a false rollback in a whole window, however often one looks."""
    beta: float = 0.01
    """Chance of passing a version that is worse by more than ``margin``."""
    tolerance: float = 1.05
    """An error rate of the new version up to this many times the old one's is as good."""
    bad_share: float = 0.5
    """Part of ``alpha`` spent on errors; the rest goes to latency."""
    dispersion: float = 1.0
    """Variance over mean of the old version's counts before the deploy (1: Poisson)."""
    slow_dispersion: float | None = None
    """The same for counts of slow requests; None: as ``dispersion``."""
    warmup: float = 4.0
    """Seconds in which a slow new version is excused: caches and compilers warm up."""
    margin: float = 0.02
    """More failed requests than the old version by this fraction are never passed."""
    earliest_pass: float = 0.5
    """An early pass is given no sooner than after this part of the window."""

    def __post_init__(self) -> None:
        checks = (
            ("seconds", self.seconds, 1.0, 1e7),
            ("alpha", self.alpha, 1e-9, 0.5),
            ("beta", self.beta, 1e-9, 0.5),
            ("tolerance", self.tolerance, 1.0, 100.0),
            ("bad_share", self.bad_share, 0.01, 0.99),
            ("dispersion", self.dispersion, 0.0, 1e6),
            ("slow_dispersion", self.slow_dispersion or 0.0, 0.0, 1e6),
            ("warmup", self.warmup, 0.0, 1e6),
            ("margin", self.margin, 1e-4, 0.5),
            ("earliest_pass", self.earliest_pass, 0.0, 1.0),
        )
        for name, value, low, high in checks:
            if not (math.isfinite(value) and low <= value <= high):
                raise RequestError(
                    "judge-setting",
                    f"the judge's {name} is {value}",
                    hint=f"It must lie between {low:g} and {high:g}.",
                )
