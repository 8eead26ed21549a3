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

    ``weights`` has for each measure its typical value, the log-odds of one more, and how far
    from the typical value that goes on: farther out nothing was seen to learn from.
    """

    prior: float = 1.0
    bias: float = 0.0
    weights: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RiskModel:
    """Turns measures into a probability, and says what each measure did to it."""

    card: Scorecard
    own: Own = field(default_factory=Own)
    slope: float = 1.0
    shift: float = 0.0

    def effects(self, measures: Mapping[str, float]) -> dict[str, float]:
        """Return what each measure adds to the log-odds; a typical or missing one adds none."""
        found = {
            name: self.slope * self.own.prior * points
            for name, points in self.card.points(measures).items()
        }
        for name, (centre, weight, reach) in self.own.weights.items():
            away = max(-reach, min(reach, measures.get(name, centre) - centre))
            found[name] = found.get(name, 0.0) + self.slope * weight * away
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
                name: [round(number, 6) for number in weight]
                for name, weight in self.own.weights.items()
            },
            "slope": round(self.slope, 6),
            "shift": round(self.shift, 6),
        }


def read_model(document: Mapping[str, Any]) -> RiskModel:
    """Return the model of a document."""
    weights = {
        name: (float(w[0]), float(w[1]), float(w[2])) for name, w in document["weights"].items()
    }
    return RiskModel(
        read_scorecard(document["card"]),
        Own(float(document["prior"]), float(document["bias"]), weights),
        float(document["slope"]),
        float(document["shift"]),
    )
