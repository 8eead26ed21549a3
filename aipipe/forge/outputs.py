"""What later jobs of a workflow read: step outputs and the step summary.

GitHub Actions reads ``$GITHUB_OUTPUT`` and ``$GITHUB_STEP_SUMMARY``; GitLab CI reads a dotenv
artefact, whose place ``$AIPIPE_DOTENV`` may name.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe_core.findings.github import StepSummary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_core.findings import Report


def outputs_of(documents: dict[str, Any]) -> dict[str, str]:
    """Return the outputs: risk level and route, coverage of the change, what was found."""
    found: dict[str, str] = {}
    if risk := documents.get("risk"):
        found["risk_level"] = risk["risk"]["level"]
        found["risk_probability"] = f"{risk['risk']['probability']:.4f}"
        found |= {f"route_{name}": str(value) for name, value in risk["route"].items()}
    if tests := documents.get("tests"):
        lines = tests["coverage"]["lines"]
        share = 100.0 * lines["after"] / lines["total"] if lines["total"] else 100.0
        found["changed_lines_covered"] = f"{share:.1f}"
        found["gaps"] = str(len(tests["gaps"]))
        found["behavior_changes"] = str(len(tests["behavior"]))
        found["admitted_tests"] = str(sum(t["status"] == "admitted" for t in tests["tests"]))
    return found


def write_outputs(outputs: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """Append the outputs where the surroundings read them; return what went wrong, in words."""
    problems: list[str] = []
    if path := environ.get("GITHUB_OUTPUT"):
        problems += _append(Path(path), "".join(_output(*pair) for pair in outputs.items()))
    if path := environ.get("AIPIPE_DOTENV"):
        lines = (f"AIPIPE_{key.upper()}={_one_line(value)}\n" for key, value in outputs.items())
        problems += _append(Path(path), "".join(lines))
    return problems


def write_summary(report: Report, environ: Mapping[str, str]) -> list[str]:
    """Append the report to the step summary, if there is one."""
    path = environ.get("GITHUB_STEP_SUMMARY")
    return _append(Path(path), StepSummary().render(report)) if path else []


def _output(key: str, value: str) -> str:
    if "\n" not in value and "\r" not in value:
        return f"{key}={value}\n"
    # A value of several lines stands between marks that nobody can guess.
    mark = f"aipipe_{secrets.token_hex(16)}"
    return f"{key}<<{mark}\n{value}\n{mark}\n"


def _one_line(value: str) -> str:
    return " ".join(value.split())


def _append(path: Path, text: str) -> list[str]:
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        return [f"{path.name} cannot be written: {error.strerror}"]
    return []
