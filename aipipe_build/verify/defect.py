"""A report to paste for a prediction that was wrong. That is always a defect of ours."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from aipipe_build.verify.compare import MISSES
from aipipe_core.store.folder import make_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from aipipe_build.verify.compare import StepOutcome


def prediction_report(
    outcomes: Sequence[StepOutcome],
    *,
    dockerfile: str,
    versions: Mapping[str, str],
    options: Sequence[str],
    mask: Callable[[str], str],
) -> str:
    """Return the text. ``options`` are names alone: their values may be anybody's secret."""
    rows = [
        f"{'>>' if step.agreement in MISSES else '  '} {step.agreement:12} predicted "
        f"{step.verdict:8} was {step.fact:7} {step.stage} line {step.line}: {step.instruction}"
        + (f"\n{'':17}{step.cause}" if step.cause else "")
        for step in outcomes
    ]
    known = {**versions, "python": platform.python_version(), "system": platform.platform()}
    lines = [
        "aipipe-build predicted other than the builder did.",
        "",
        *(f"{name}: {version}" for name, version in known.items()),
        f"options: {' '.join(options) or 'none'}",
        "",
        "Steps (>> are wrong):",
        *rows,
        "",
        "Dockerfile:",
        dockerfile,
    ]
    return mask("\n".join(lines)) + "\n"


def write_report(folder: Path, text: str) -> Path:
    """Write the report into ``folder`` under a name of its own. Raises ``OSError``."""
    make_inside(folder)
    number = 1
    while True:
        path = folder / f"prediction-{number}.txt"
        try:
            with path.open("x", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
        except FileExistsError:
            number += 1
            continue
        return path
