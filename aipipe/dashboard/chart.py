"""A series as a small SVG line: readable without a script, in the page's own colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aipipe.dashboard.history import Series

WIDTH, HEIGHT = 320, 72
_EDGE = 4


def line(series: Series) -> list[tuple[float, float]]:
    """Return the points of the chart in its own units, evenly spaced, zero at the foot."""
    values = [point.value for point in series.points]
    if not values:
        return []
    top = max(series.most or 0.0, *values) or 1.0
    step = (WIDTH - 2 * _EDGE) / max(len(values) - 1, 1)
    return [
        (
            round(_EDGE + index * step, 1),
            round(HEIGHT - _EDGE - value / top * (HEIGHT - 2 * _EDGE), 1),
        )
        for index, value in enumerate(values)
    ]


def spread(series: Series) -> str:
    """Return how far the values reach; empty where there is one, or all are the same."""
    values = [round(point.value, 1) for point in series.points]
    if not values or min(values) == max(values):
        return ""
    unit = f" {series.unit}" if series.unit else ""
    return f"between {min(values):g} and {max(values):g}{unit}"


def told(series: Series) -> str:
    """Return the chart in words, for those who do not see it."""
    if not series.points:
        return f"{series.title}: no run says"
    values = [point.value for point in series.points]
    unit = f" {series.unit}" if series.unit else ""
    if len(values) == 1:
        return f"{series.title}: {round(values[0], 1):g}{unit} in the only run that says"
    return (
        f"{series.title}: {round(values[-1], 1):g}{unit} in the latest of {len(values)} runs, "
        f"between {round(min(values), 1):g} and {round(max(values), 1):g}"
    )
