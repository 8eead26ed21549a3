"""The dashboard as a page and as text."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from aipipe.dashboard.chart import HEIGHT, WIDTH, line, spread, told
from aipipe_core.findings.text import one_line

if TYPE_CHECKING:
    from aipipe.dashboard.history import History


def in_words(history: History) -> str:
    """Return the latest figures, one a line."""
    when = f", {history.when}" if history.when else ""
    lines = [f"{history.runs} run{'' if history.runs == 1 else 's'}{when}"]
    lines += [told(series) for series in history.series if series.points]
    lines += [
        f"Flaky in {n} run{'' if n == 1 else 's'}: {nodeid} ({cause})"
        for nodeid, n, cause in history.flaky
    ]
    lines += [f"Releases that ended {outcome}: {n}" for outcome, n in history.outcomes]
    return "\n".join(map(one_line, lines))


def render_dashboard(history: History, name: str, calibration: str = "") -> str:
    """Return the page: one file, no network, no script. ``calibration`` is SVG of ours."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["line"] = lambda text: one_line(str(text))
    source = files("aipipe.dashboard").joinpath("dashboard.html.jinja")
    template = environment.from_string(source.read_text(encoding="utf-8"))
    charts = [
        (series, line(series), told(series), spread(series))
        for series in history.series
        if series.points
    ]
    return template.render(
        history=history, name=name, charts=charts, width=WIDTH, height=HEIGHT,
        calibration=calibration,
    )  # fmt: skip
