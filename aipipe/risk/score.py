"""From features to a probability: a logistic over written weights.

``probability = 1 / (1 + exp(-(BIAS + sum of the effects)))``. An effect is in log-odds: 0.7
doubles the odds that the change will need a fix, -0.7 halves them. The weights are written
rules for repositories without a calibrated model; what they say is meant to be read, argued
with, and replaced by what ``aipipe calibrate`` learns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe.risk.features import Feature, measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe.risk.history import History
    from aipipe_core.change import Change
    from aipipe_core.config import Settings

BIAS = -3.2
"""One change in twenty-five needs a fix when nothing speaks for it: an ordinary one, with its
lines and its files' past, then comes to about one in six. A prior, not a measurement."""


@dataclass(frozen=True, slots=True)
class Weight:
    """How a feature's value becomes an effect: ``per`` doubling of 1 + value, or ``flat``."""

    flat: float = 0.0
    per: float = 0.0
    most: float = 2.5

    def effect(self, value: float) -> float:
        """Return the effect in log-odds, bounded by ``most`` on either side."""
        raw = self.flat + self.per * math.log2(1 + max(value, 0.0))
        return max(-self.most, min(self.most, raw))


WEIGHTS: Mapping[str, Weight] = {
    # size and diffusion: the strongest single measures in every study
    "lines": Weight(per=0.22),
    "files": Weight(per=0.15, most=1.0),
    "entropy": Weight(per=0.15, most=0.6),
    "unparsable": Weight(flat=2.0),
    # kinds: what it costs when it goes wrong counts as well as how often it does
    "migration": Weight(flat=1.2),
    "authentication": Weight(flat=0.9),
    "dependencies": Weight(flat=0.5),
    "configuration": Weight(flat=0.4),
    "docker": Weight(flat=0.4),
    "ci": Weight(flat=0.2),
    "generated": Weight(flat=0.1),
    "docs only": Weight(flat=-4.0, most=4.0),
    "nothing shipped": Weight(flat=-2.5),
    "tests changed": Weight(flat=-0.4),
    "no tests changed": Weight(flat=0.3),
    "repair": Weight(flat=0.2),
    # history of the touched files
    "churn": Weight(per=0.12, most=0.7),
    "past fixes": Weight(per=0.15, most=0.9),
    "authors": Weight(per=0.10, most=0.4),
    "age": Weight(flat=0.2),
    "new author": Weight(flat=0.3),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A feature with the effect it had."""

    feature: Feature
    effect: float


@dataclass(frozen=True, slots=True)
class Risk:
    """``probability`` that the change will need a fix, its ``level``, and why, strongest first.

    ``source`` tells who says so: the written ``rules``, or the calibrated ``model``.
    """

    probability: float
    level: str
    reasons: tuple[Reason, ...]
    source: str = "rules"


def assess(change: Change, history: History | None, settings: Settings) -> Risk:
    """Return the risk of ``change`` by the written rules."""
    if not change.files:
        nothing = Feature("empty", 0, "nothing changed")
        return Risk(0.0, "low", (Reason(nothing, 0.0),))
    reasons = weigh(measure(change, history))
    if history is None:
        unknown = Feature("no history", 0, "the history of these files is not here to be judged")
        reasons.append(Reason(unknown, 0.0))
    probability = logistic(BIAS + sum(reason.effect for reason in reasons))
    return Risk(probability, level_of(probability, settings), tuple(reasons))


def weigh(features: Sequence[Feature]) -> list[Reason]:
    """Return each feature with its effect, the strongest first."""
    reasons = [
        Reason(feature, round(WEIGHTS[feature.name].effect(feature.value), 3))
        for feature in features
    ]
    return sorted(reasons, key=lambda reason: (-abs(reason.effect), reason.feature.name))


def logistic(odds: float) -> float:
    """Return the probability of ``odds``, given as their logarithm."""
    return round(1 / (1 + math.exp(-odds)), 4)


def level_of(probability: float, settings: Settings) -> str:
    """Return low, medium or high, by the settings' thresholds."""
    if probability >= settings.risk.high:
        return "high"
    return "medium" if probability >= settings.risk.medium else "low"
