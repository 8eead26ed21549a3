"""What became of one image."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aipipe_build.verify.compare import StepOutcome

SCHEMA = 1
_SIZE = ("skip", "cached", "dependencies", "full", "unknown")


class Result(StrEnum):
    """How it ended."""

    BUILT = "built"
    RETAGGED = "retagged"
    """It was built before: nothing ran, the image got its tags."""
    FAILED = "failed"
    NOT_BUILT = "not-built"
    """It stands on an image that failed, or nothing was to be run."""


@dataclass(slots=True)
class ImageOutcome:
    """One image: what was predicted, what was done, what it took and saved."""

    name: str
    context: str
    dockerfile: str
    target: str = ""
    builder: str = "default"
    platforms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    decision: str = "unknown"
    reason: str = ""
    predicted_saves: float = 0.0
    predicted_seconds: float = 0.0
    result: Result = Result.NOT_BUILT
    image: str = ""
    seconds: float = 0.0
    recorded: bool = False
    steps: list[StepOutcome] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def saves_seconds(self) -> float:
        """The recorded seconds of the steps that did not run."""
        if self.result is Result.RETAGGED:
            return self.predicted_saves
        return round(sum(step.saved for step in self.steps), 3)

    def as_json(self) -> dict[str, Any]:
        """Return the form that ``build.json`` has."""
        return {
            "name": self.name,
            "context": self.context,
            "dockerfile": self.dockerfile,
            "target": self.target,
            "builder": self.builder,
            "platforms": list(self.platforms),
            "tags": list(self.tags),
            "decision": self.decision,
            "reason": self.reason,
            "predicted_saves_seconds": self.predicted_saves,
            "predicted_seconds": self.predicted_seconds,
            "result": str(self.result),
            "image": self.image,
            "seconds": self.seconds,
            "saves_seconds": self.saves_seconds,
            "recorded": self.recorded,
            "steps": [step.as_json() for step in self.steps],
            "defects": self.defects,
            "warnings": self.warnings,
            "error": self.error,
        }


def run_document(outcomes: list[ImageOutcome]) -> dict[str, Any]:
    """Return ``build.json``: all images of a run; the decision is that of the most work."""
    decisions = [outcome.decision for outcome in outcomes]
    return {
        "schema": SCHEMA,
        "decision": max(decisions, key=_SIZE.index, default="skip"),
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
        "saves_seconds": round(sum(outcome.saves_seconds for outcome in outcomes), 3),
        "images": [outcome.as_json() for outcome in outcomes],
    }
