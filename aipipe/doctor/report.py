"""The doctor's findings in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aipipe.doctor.finding import State
from aipipe_core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe.doctor.finding import Finding

_MARKS = {State.GOOD: "ok", State.OPTIONAL: "--", State.BAD: "NO"}


def in_words(findings: Sequence[Finding]) -> str:
    """Return the report as a person reads it, one line a finding and one for its advice."""
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.state]}  {finding.name:<{width}}  {finding.text}")
        if finding.advice:
            lines.append(f"    {'':<{width}}  -> {finding.advice}")
    bad = sum(1 for finding in findings if finding.state is State.BAD)
    lines.append("")
    lines.append(f"{bad} to mend before anything works." if bad else "Ready.")
    return "\n".join(lines)


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as JSON-ready values."""
    return {"schema": 1, "findings": [asdict(finding) for finding in findings]}


def verdict(findings: Sequence[Finding]) -> ExitCode:
    """Return 0 where everything needed is here, 3 where something is not."""
    bad = any(finding.state is State.BAD for finding in findings)
    return ExitCode.SURROUNDINGS if bad else ExitCode.DONE
