"""GitHub Actions: annotations by workflow commands, and the step summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.findings.markdown import Markdown
from aipipe_core.findings.model import Level
from aipipe_core.findings.text import clean, cut, one_line

if TYPE_CHECKING:
    from aipipe_core.findings.model import Finding, Report

# https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands and the
# limits that the runner keeps to: ten of each kind a step, fifty a job.
STEP_LIMIT = 10
JOB_LIMIT = 50
SUMMARY_LIMIT = 1024 * 1024
_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
_MESSAGE = 4_000
_TITLE = 200


@dataclass(frozen=True, slots=True)
class Annotations:
    """Renders workflow commands; ``spent`` annotations were made earlier in the same job."""

    spent: int = 0

    def render(self, report: Report) -> str:
        """Return one command a line, gravest first; the last line says what did not fit."""
        made: Counter[Level] = Counter()
        lines, left_out = [], 0
        for finding in report.ordered():
            full = self.spent + sum(made.values()) >= JOB_LIMIT
            if full or made[finding.level] >= STEP_LIMIT:
                left_out += 1
                continue
            made[finding.level] += 1
            lines.append(command(finding))
        if left_out:
            lines.append(
                f"{left_out} more findings are not annotated: GitHub shows {STEP_LIMIT} errors, "
                f"{STEP_LIMIT} warnings and {STEP_LIMIT} notices a step, {JOB_LIMIT} a job. "
                "The step summary and the JSON report hold them."
            )
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class StepSummary:
    """Renders Markdown for ``$GITHUB_STEP_SUMMARY``."""

    limit: int = SUMMARY_LIMIT

    def render(self, report: Report) -> str:
        """Return Markdown of at most ``limit`` bytes."""
        return Markdown(limit=self.limit, in_bytes=True).render(report)


def command(finding: Finding) -> str:
    """Return the workflow command that annotates ``finding``."""
    properties: dict[str, str] = {}
    if finding.path:
        properties["file"] = clean(finding.path)
        if finding.start is not None:
            properties["line"] = str(finding.start)
            properties["endLine"] = str(max(finding.end or 0, finding.start))
        if finding.column is not None:
            properties["col"] = str(finding.column)
    properties["title"] = cut(one_line(finding.rule), _TITLE)
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    message = cut(clean(finding.message), _MESSAGE)
    if finding.help:
        message += "\n" + cut(clean(finding.help), _MESSAGE)
    return f"::{_COMMANDS[finding.level]} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
