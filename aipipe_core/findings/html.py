"""The report as one HTML page that needs nothing else: no script, no network, any screen."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import jinja2

from aipipe_core.findings.text import clean, cut, one_line

if TYPE_CHECKING:
    from aipipe_core.findings.model import Report

_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Html:
    """Renders the page.

    Its policy forbids every load: not even an escape that failed could fetch or run anything.
    """

    def render(self, report: Report) -> str:
        """Return the page."""
        environment = jinja2.Environment(
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["clean"] = _shown
        environment.filters["line"] = one_line
        source = files("aipipe_core.findings").joinpath("templates/report.html.jinja")
        template = environment.from_string(source.read_text(encoding="utf-8"))
        return template.render(report=report)


def _shown(text: str) -> str:
    return cut(clean(text), _TEXT)
