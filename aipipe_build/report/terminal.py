"""A run in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_build.report.words import (
    agreement_in_words,
    counts,
    seconds,
    title,
    wrong_steps,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTH = 60


def render_terminal(document: Mapping[str, Any]) -> str:
    """Return the run as lines: an image, its steps with prediction and fact, the sum."""
    lines: list[str] = []
    for image in document["images"]:
        lines.append(title(image))
        built = image["result"] == "built"
        lines += [_step(step, marked=built) for step in image["steps"]]
        if image["steps"] and built:
            lines.append(f"  {agreement_in_words(counts(image))}")
        lines += [f"  warning: {text}" for text in image["warnings"]]
        lines += [f"  error: {image['error']}"] if image["error"] else []
        if wrong_steps(image):
            lines.append("  the prediction was wrong, which is a defect of aipipe")
        lines += [f"  a report to paste is in {path}" for path in image["defects"]]
    lines.append(
        f"{len(document['images'])} image{'s' * (len(document['images']) != 1)}: "
        f"{seconds(document['seconds'])} spent, {seconds(document['saves_seconds'])} saved"
    )
    return "\n".join(lines) + "\n"


def _step(step: Mapping[str, Any], *, marked: bool) -> str:
    text = " ".join(f"{step['stage']} {step['instruction']}".split())
    shown = text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."
    took = f" {seconds(step['seconds'])}" if step["seconds"] is not None else ""
    fact = step["fact"] if marked or step["fact"] != "absent" else "not run"
    mark = "!" if marked and step["agreement"] in ("false-hit", "false-miss", "absent") else " "
    return f" {mark}{step['verdict']:8}{fact:8}{shown}{took}"
