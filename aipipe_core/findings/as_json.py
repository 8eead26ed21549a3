"""The report as JSON, after the published schema ``findings``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe_core.findings.text import clean

if TYPE_CHECKING:
    from aipipe_core.findings.model import Finding, Report, Section


@dataclass(frozen=True, slots=True)
class Json:
    """Renders JSON in ASCII: safe in any encoding."""

    indent: int | None = 2

    def render(self, report: Report) -> str:
        """Return the document as text."""
        return json.dumps(document(report), indent=self.indent) + "\n"


def document(report: Report) -> dict[str, Any]:
    """Return the report as the document that the schema ``findings`` describes."""
    return {
        "schema": 1,
        "title": clean(report.title),
        "summary": [clean(line) for line in report.summary],
        "findings": [_finding(finding, mark) for finding, mark in report.fingerprints()],
        "sections": [_section(section) for section in report.sections],
    }


def _finding(finding: Finding, fingerprint: str) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "level": str(finding.level),
        "message": clean(finding.message),
        "path": clean(finding.path),
        "start": finding.start,
        "end": finding.end,
        "column": finding.column,
        "help": clean(finding.help),
        "fingerprint": fingerprint,
        "properties": plain(finding.properties),
    }


def _section(section: Section) -> dict[str, Any]:
    table = section.table
    return {
        "title": clean(section.title),
        "lines": [clean(line) for line in section.lines],
        "table": None
        if table is None
        else {
            "columns": [clean(name) for name in table.columns],
            "rows": [[clean(cell) for cell in row] for row in table.rows],
        },
        "code": clean(section.code),
        "language": section.language,
    }


def plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it, text cleaned; what JSON has no word for as text."""
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        # JSON knows neither NaN nor infinity.
        return value if value == value and abs(value) != float("inf") else str(value)  # noqa: PLR0124
    if isinstance(value, dict):
        return {clean(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=repr)
    return clean(str(value))
