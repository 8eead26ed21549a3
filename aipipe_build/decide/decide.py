"""How much of a build a prediction asks for."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from aipipe_build.light import light
from aipipe_build.predict.model import Verdict

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Dockerfile
    from aipipe_build.predict.model import Prediction, StepPrediction

# Commands that install what a project depends on.
_INSTALLS = (
    r"\b(?:pip3?|uv|poetry|pdm|pipenv|conda|mamba|npm|pnpm|yarn|bun|apt-get|apt|apk|dnf|yum|"
    r"microdnf|gem|bundle|composer|cargo|go|mvn|gradle|dotnet)\b[^&|;\n]*?"
    r"\b(?:install|sync|ci|add|fetch|download|restore|mod|build|lock)\b"
)


class Decision(StrEnum):
    """What to do."""

    SKIP = "skip"
    """The image is one that was built before: give it a tag."""
    CACHED = "cached"
    """What installs dependencies is cached; at most what follows it runs."""
    DEPENDENCIES = "dependencies"
    """It begins at the layer that installs dependencies."""
    FULL = "full"
    """Nothing that matters is cached."""
    UNKNOWN = "unknown"
    """Something that only the builder can see decides it."""


@light(frozen=True)
class BuildDecision:
    """The decision, the recorded seconds of the steps that will not run, and of those that may.

    A step that never ran on record counts with the times of the same text elsewhere, else not.
    """

    decision: Decision
    saves_seconds: float
    reason: str
    costs_seconds: float = 0.0


def decide(prediction: Prediction) -> BuildDecision:
    """Decide from a prediction."""
    steps = prediction.steps
    saved = sum(step.seconds or 0.0 for step in steps if step.verdict is Verdict.HIT)
    decision, reason = _decide(prediction)
    costs = sum(step.seconds or 0.0 for step in steps if step.verdict is not Verdict.HIT)
    return BuildDecision(decision, round(saved, 3), reason, round(costs, 3))


def _decide(prediction: Prediction) -> tuple[Decision, str]:
    steps = prediction.steps
    if prediction.unchanged:
        return Decision.SKIP, "the image is as it was built before"
    unsure = [step for step in steps if step.verdict is Verdict.UNKNOWN]
    if unsure:
        return Decision.UNKNOWN, _about(unsure[0])
    running = [step for step in steps if step.verdict is not Verdict.HIT]
    if not running:
        return Decision.CACHED, "every layer is cached, the image's configuration changed"
    first = running[0]
    if len(running) == len(steps):
        return Decision.FULL, _about(first)
    installs = [step for step in steps if re.search(_INSTALLS, step.instruction)]
    broken = [step for step in installs if step.verdict is not Verdict.HIT]
    if broken:
        again = f"line {broken[0].line} installs again"
        return Decision.DEPENDENCIES, f"{again}, because of {_about(first)}"
    return Decision.CACHED, _about(first)


def installing_stages(dockerfile: Dockerfile) -> list[str]:
    """Return the names of the stages that install dependencies, "" for one without a name."""
    return [
        stage.name
        for stage in dockerfile.stages
        if any(
            one.keyword == "RUN" and re.search(_INSTALLS, one.original) for one in stage.commands
        )
    ]


def _about(step: StepPrediction) -> str:
    return f"line {step.line}: {step.cause}" if step.cause else f"line {step.line}"
