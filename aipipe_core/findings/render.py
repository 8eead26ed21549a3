"""Which renderer a report type asks for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from aipipe_core.findings.model import Report


class Renderer(Protocol):
    """Tells a report to one kind of reader."""

    def render(self, report: Report) -> str:
        """Return the whole text, ending in a newline unless it is empty."""


# Loaded when asked for: rich and jinja2 take their time.
KINDS = {
    "term": ("terminal", "Terminal"),
    "json": ("as_json", "Json"),
    "md": ("markdown", "Markdown"),
    "html": ("html", "Html"),
    "sarif": ("sarif", "Sarif"),
    "gitlab": ("gitlab", "GitLab"),
    "github": ("github", "Annotations"),
    "github-summary": ("github", "StepSummary"),
    "comment": ("markdown", "Comment"),
}
"""Report types, with the module and the class of each."""


def renderer_for(kind: str) -> Renderer:
    """Return a renderer with its defaults; raises ``RequestError`` for an unknown type."""
    if kind not in KINDS:
        raise RequestError(
            "report-type", f"Unknown report type {kind!r}", hint=f"Known: {', '.join(KINDS)}."
        )
    module, name = KINDS[kind]
    made: Renderer = getattr(import_module(f"aipipe_core.findings.{module}"), name)()
    return made


def render(report: Report, kind: str) -> str:
    """Return ``report`` as the report type ``kind`` has it."""
    return renderer_for(kind).render(report)
