"""A scorecard: each measure adds points by the range it lies in; the sum is in log-odds.

It says as much as boosted trees that split once, for it is one, written down: anybody can
read which value of which measure adds what. Pure Python, so that a change is scored without
the libraries that fitted it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Steps:
    """The points of one measure: ``points[i]`` from ``cuts[i - 1]`` up to ``cuts[i]``."""

    cuts: tuple[float, ...]
    points: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return the points of ``value``."""
        return self.points[bisect_right(self.cuts, value)]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The points of every measure. They are 0 for a typical value; ``base`` is what all share."""

    base: float
    steps: Mapping[str, Steps]
    source: str = ""

    def points(self, measures: Mapping[str, float]) -> dict[str, float]:
        """Return what each measure adds, in log-odds; one that is not known adds nothing."""
        return {
            name: steps.at(measures[name]) for name, steps in self.steps.items() if name in measures
        }

    def total(self, measures: Mapping[str, float]) -> float:
        """Return the sum in log-odds."""
        return self.base + sum(self.points(measures).values())

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        steps = {
            name: {"cuts": list(found.cuts), "points": list(found.points)}
            for name, found in self.steps.items()
        }
        return {"schema": 1, "source": self.source, "base": self.base, "measures": steps}


def read_scorecard(document: Mapping[str, Any]) -> Scorecard:
    """Return the scorecard of a document."""
    steps = {
        name: Steps(tuple(found["cuts"]), tuple(found["points"]))
        for name, found in document["measures"].items()
    }
    return Scorecard(float(document["base"]), steps, str(document.get("source", "")))


def prior() -> Scorecard:
    """Return the scorecard fitted over many public histories, which comes with the package."""
    text = files("aipipe.calibrate").joinpath("prior.json").read_text(encoding="utf-8")
    return read_scorecard(json.loads(text))
