"""A prediction for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aipipe_build.decide.decide import BuildDecision
    from aipipe_build.predict.model import Prediction


def render_prediction(prediction: Prediction, decision: BuildDecision) -> str:
    """Return the lines to print, one a step, with the cause below what does not hit."""
    lines: list[str] = []
    for step in prediction.steps:
        stage = f"{step.stage} " if step.stage else ""
        lines.append(f"{step.verdict.upper():8}{stage}line {step.line}: {step.instruction}")
        if step.cause:
            lines.append(f"        {step.cause}")
    lines += [f"warning: {warning}" for warning in prediction.warnings]
    saves = f", saves {decision.saves_seconds:g} s" if decision.saves_seconds else ""
    lines.append(f"{decision.decision}: {decision.reason}{saves}")
    return "\n".join(lines) + "\n"
