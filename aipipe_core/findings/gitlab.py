"""GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe_core.findings.model import Level
from aipipe_core.findings.text import clean, cut, one_line

if TYPE_CHECKING:
    from aipipe_core.findings.model import Finding, Report

_SEVERITIES = {Level.ERROR: "major", Level.WARNING: "minor", Level.NOTE: "info"}
_DESCRIPTION = 4_000


@dataclass(frozen=True, slots=True)
class GitLab:
    """Renders the array that the ``codequality`` report artifact is."""

    def render(self, report: Report) -> str:
        """Return JSON, an empty array where there is nothing to say."""
        issues = [_issue(finding, mark) for finding, mark in report.fingerprints()]
        return json.dumps(issues, indent=2) + "\n"


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    begin = finding.start or 1
    issue: dict[str, Any] = {
        "type": "issue",
        "check_name": one_line(finding.rule),
        "description": cut(one_line(finding.message), _DESCRIPTION),
        "categories": ["Bug Risk"],
        "severity": _SEVERITIES[finding.level],
        "fingerprint": fingerprint,
        "location": {
            # The widget drops an issue that has no path.
            "path": clean(finding.path) or ".",
            "lines": {"begin": begin, "end": max(finding.end or begin, begin)},
        },
    }
    if finding.help:
        issue["content"] = {"body": cut(clean(finding.help), _DESCRIPTION)}
    return issue
