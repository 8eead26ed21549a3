"""Verdicts and predictions."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from aipipe_build.light import light


class Verdict(StrEnum):
    """What the cache will do with a step."""

    HIT = "hit"
    MISS = "miss"
    DEPENDS = "depends"
    """It hits if another stage, which runs again, makes the same as before."""
    UNKNOWN = "unknown"
    """Something that only the builder or the network can see decides it."""


@light(frozen=True)
class StepPrediction:
    """One step's verdict; ``cause`` is empty for a hit. ``seconds`` is what it took last."""

    stage: str
    line: int
    instruction: str
    verdict: Verdict
    cause: str = ""
    seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the contract's form."""
        return {
            "stage": self.stage,
            "line": self.line,
            "instruction": self.instruction,
            "verdict": str(self.verdict),
            "cause": self.cause,
        }


@light(frozen=True)
class Prediction:
    """A whole build's. ``unchanged`` says that the image would be one that was built before."""

    steps: tuple[StepPrediction, ...]
    unchanged: bool
    warnings: tuple[str, ...] = ()
    image: str = ""
    """That image as the engine calls it, where it is known."""
