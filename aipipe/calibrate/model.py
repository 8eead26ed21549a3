"""A calibrated model of risk: the prior's scorecard, a project's own weights, Platt scaling."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe.calibrate.scorecard import Scorecard, read_scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Own:
    """What a project adds: the weight of the prior's score, a shift, and weights by measure.

    ``weights`` has for each measure its typical value and the log-odds of one more.
    """

    prior: float = 1.0
    bias: float = 0.0
    weights: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RiskModel:
    """Turns measures into a probability, and says what each measure did to it."""

    card: Scorecard
    own: Own = field(default_factory=Own)
    slope: float = 1.0
    shift: float = 0.0

    def effects(self, measures: Mapping[str, float]) -> dict[str, float]:
        """Return what each measure adds to the log-odds; what a typical one has adds nothing."""
        found = {
            name: self.slope * self.own.prior * points
            for name, points in self.card.points(measures).items()
        }
        for name, (centre, weight) in self.own.weights.items():
            more = self.slope * weight * (measures.get(name, 0.0) - centre)
            found[name] = found.get(name, 0.0) + more
        return found

    @property
    def base(self) -> float:
        """The log-odds of a change with nothing but typical measures."""
        return self.slope * (self.own.prior * self.card.base + self.own.bias) + self.shift

    def probability(self, measures: Mapping[str, float]) -> float:
        """Return how probable it is that a fix follows within the horizon."""
        odds = self.base + sum(self.effects(measures).values())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "card": self.card.document(),
            "prior": round(self.own.prior, 6),
            "bias": round(self.own.bias, 6),
            "weights": {
                name: [round(centre, 6), round(weight, 6)]
                for name, (centre, weight) in self.own.weights.items()
            },
            "slope": round(self.slope, 6),
            "shift": round(self.shift, 6),
        }


def read_model(document: Mapping[str, Any]) -> RiskModel:
    """Return the model of a document."""
    weights = {name: (float(pair[0]), float(pair[1])) for name, pair in document["weights"].items()}
    return RiskModel(
        read_scorecard(document["card"]),
        Own(float(document["prior"]), float(document["bias"]), weights),
        float(document["slope"]),
        float(document["shift"]),
    )
