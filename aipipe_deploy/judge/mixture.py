"""A mixture of likelihood ratios that may be looked at after every tick.

Each component bets on one alternative; its wealth is multiplied by the likelihood ratio
of what came next, and under the null its expectation never grows. So does that of their
weighted sum, and by Ville's inequality it exceeds 1/alpha with probability at most alpha
at *any* time (Ramdas, Grünwald, Vovk, Shafer 2023, "Game-theoretic statistics and safe
anytime-valid inference").

A version can go bad late, when components have lost their stake to quiet minutes or to an
outage that both versions shared. Hence a part of the stake is kept back and added evenly
over the window: a mixture over the time at which the fault begins, valid for the same
reason (Shin, Ramdas, Rinaldo 2022, "E-detectors").
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST_STAKE = 0.65
"""Part of the stake that bets on a fault from the first second."""
_CEILING = 1e150


class Mixture:
    """The wealth of a weighted set of bets.

    ``weights`` sum to at most 1. ``value`` is the e-value after the latest tick.
    """

    __slots__ = ("_pending", "_seconds", "_spent", "_wealth", "_weights", "value")

    def __init__(self, weights: Sequence[float], *, seconds: float) -> None:
        self._weights = tuple(weights)
        self._wealth = [weight * FIRST_STAKE for weight in weights]
        self._seconds = seconds
        self._pending = 0.0
        self._spent = FIRST_STAKE
        self.value = sum(self._wealth)

    def wait(self, seconds: float) -> None:
        """Let time pass: the part of the stake kept back for it is added at the next bet."""
        self._pending += seconds

    def bet(self, log_ratios: Sequence[float]) -> float:
        """Multiply each component's wealth by its likelihood ratio; return the e-value."""
        fresh = self._fresh_stake()
        self._wealth = wealth = [
            (held + fresh * weight) * exp(ratio)
            for held, weight, ratio in zip(self._wealth, self._weights, log_ratios)  # noqa: B905
        ]
        self.value = value = sum(wealth)
        if value > _CEILING:
            self._wealth = [min(held, _CEILING) for held in wealth]
            self.value = sum(self._wealth)
        return self.value

    def best(self) -> int:
        """Return the component that holds most."""
        return self._wealth.index(max(self._wealth))

    def forget_above(self, limit: float) -> None:
        """Cut each component's wealth to ``limit`` times its weight: never a gain."""
        self._wealth = [
            min(held, limit * weight)
            for held, weight in zip(self._wealth, self._weights, strict=True)
        ]
        self.value = sum(self._wealth)

    def _fresh_stake(self) -> float:
        # However long it lasts, the sum stays below 1: beyond the window nothing is left.
        fresh = (1.0 - FIRST_STAKE) * self._pending / self._seconds
        if self._spent + fresh > 1.0:
            fresh = 1.0 - self._spent
        self._pending = 0.0
        self._spent += fresh
        return fresh
