"""SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aipipe_core.findings.as_json import plain
from aipipe_core.findings.text import clean, cut, one_line

if TYPE_CHECKING:
    from aipipe_core.findings.model import Finding, Report

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
RESULT_LIMIT = 25_000
"""Results of one run that GitHub's code scanning accepts."""
_MESSAGE = 8_000
_ROOT = "%SRCROOT%"


@dataclass(frozen=True, slots=True)
class Sarif:
    """Renders one SARIF log with one run."""

    indent: int | None = 2

    def render(self, report: Report) -> str:
        """Return the log as JSON in ASCII; it says itself where results had to be left out."""
        return json.dumps(log(report), indent=self.indent) + "\n"


def log(report: Report) -> dict[str, Any]:
    """Return the report as a SARIF log."""
    marked = report.fingerprints()
    shown = marked[:RESULT_LIMIT]
    rules: dict[str, Finding] = {}
    for finding, _ in shown:
        rules.setdefault(finding.rule, finding)
    order = {rule: index for index, rule in enumerate(rules)}
    driver: dict[str, Any] = {
        "name": "pytest-aipipe",
        "rules": [_rule(finding) for finding in rules.values()],
    }
    if report.tool_version:
        driver["version"] = clean(report.tool_version)
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(len(marked) - len(shown))],
        "results": [_result(finding, mark, order[finding.rule]) for finding, mark in shown],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _invocation(left_out: int) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": True}
    if left_out:
        text = f"{left_out} results were left out: a run may hold {RESULT_LIMIT}."
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": text}}]
    return invocation


def _rule(finding: Finding) -> dict[str, Any]:
    name = one_line(finding.rule)
    rule: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": name.replace("-", " ").capitalize() or name},
        "defaultConfiguration": {"level": str(finding.level)},
    }
    if finding.help:
        rule["help"] = {"text": cut(clean(finding.help), _MESSAGE)}
    return rule


def _result(finding: Finding, fingerprint: str, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one_line(finding.rule),
        "ruleIndex": index,
        "level": str(finding.level),
        "message": {"text": cut(clean(finding.message), _MESSAGE)},
        "partialFingerprints": {"aipipe/v1": fingerprint},
    }
    if finding.path:
        result["locations"] = [{"physicalLocation": _location(finding)}]
    if finding.properties:
        result["properties"] = plain(dict(finding.properties))
    return result


def _location(finding: Finding) -> dict[str, Any]:
    uri = quote(os.fsencode(finding.path))
    location: dict[str, Any] = {"artifactLocation": {"uri": uri, "uriBaseId": _ROOT}}
    if finding.start is not None:
        region = {"startLine": finding.start, "endLine": max(finding.end or 0, finding.start)}
        if finding.column is not None:
            region["startColumn"] = finding.column
        location["region"] = region
    return location
