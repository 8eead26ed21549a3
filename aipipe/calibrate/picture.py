"""The calibration curve as a picture: what was predicted, and what came of it.

A reliability diagram (Murphy and Winkler, 1977): each point is a tenth of the judged commits;
on the diagonal predictions come true as often as they say. The upright lines are 95 %
intervals of the observed share (Wilson, 1927), the bars below say how many commits a point
stands for. Pure text: SVG without script, in the colours of the page around it, which may give
``.mark`` one of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Room for the outer half of the last label on the right, for two columns of text on the left.
WIDTH, HEIGHT = 384, 430
_LEFT, _RIGHT, _TOP, _FOOT = 64, 360, 34, 330
_BARS_TOP, _BARS_FOOT = 344, 384
_STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
_LINES = 5
_POINT = "#0b6bcb"
_Z = 1.96


class Point(NamedTuple):
    """One bin: the mean prediction, the share that came true, how many commits."""

    predicted: float
    observed: float
    commits: int


def picture(points: Sequence[Point], title: str, *, standalone: bool = False) -> str:
    """Return the diagram; ``standalone`` as a file of its own, on white."""
    scale = _Scale(_top_of(points))
    words = told(points, title)
    space = ' xmlns="http://www.w3.org/2000/svg" style="background:#fff;color:#1c2128"'
    parts = [
        (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_escaped(words)}"'
            f' font-family="system-ui, sans-serif" font-size="12" fill="currentColor"'
            f"{space if standalone else ''}>"
        ),
        f'<text x="8" y="18" font-size="13">{_escaped(title)}</text>',
        *_grid(scale),
        (
            f'<line x1="{_LEFT}" y1="{_FOOT}" x2="{_RIGHT}" y2="{_TOP}" stroke="currentColor"'
            ' stroke-dasharray="5 4" opacity="0.6"></line>'
        ),
        *_marks(points, scale),
        *_bars(points, scale),
        (
            f'<text x="{(_LEFT + _RIGHT) // 2}" y="{HEIGHT - 8}" text-anchor="middle">'
            "predicted share that needs a fix</text>"
        ),
        (
            f'<text transform="translate(14 {(_TOP + _FOOT) // 2}) rotate(-90)"'
            ' text-anchor="middle">share that did</text>'
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def told(points: Sequence[Point], title: str) -> str:
    """Return the diagram in words, for those who do not see it."""
    shown = "; ".join(
        f"{p.predicted:.1%} predicted, {p.observed:.1%} observed of {p.commits:,}" for p in points
    )
    return f"{title}: {shown}" if shown else f"{title}: nothing was judged"


def points_of(found: Sequence[Sequence[float]]) -> list[Point]:
    """Return the points that a document holds as lists of three numbers."""
    return [Point(float(a), float(b), int(n)) for a, b, n in found]


def interval(share: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share that was observed in ``count`` cases."""
    if not count:
        return 0.0, 1.0
    square = _Z * _Z / count
    middle = (share + square / 2) / (1 + square)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


class _Scale:
    """Shares to places; both axes end at ``top``."""

    def __init__(self, top: float) -> None:
        self.top = top

    def x(self, share: float) -> float:
        return round(_LEFT + min(share / self.top, 1.0) * (_RIGHT - _LEFT), 1)

    def y(self, share: float) -> float:
        return round(_FOOT - min(share / self.top, 1.0) * (_FOOT - _TOP), 1)


def _top_of(points: Sequence[Point]) -> float:
    highest = max((max(point.predicted, point.observed) for point in points), default=1.0)
    return next((step for step in _STEPS if highest <= step), 1.0)


def _grid(scale: _Scale) -> Iterator[str]:
    for n in range(_LINES + 1):
        share = scale.top * n / _LINES
        x, y = scale.x(share), scale.y(share)
        label = f"{100 * share:g} %"
        yield (
            f'<line x1="{_LEFT}" y1="{y}" x2="{_RIGHT}" y2="{y}" stroke="currentColor"'
            ' opacity="0.15"></line>'
        )
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{label}</text>'
        yield f'<text x="{x}" y="{_BARS_FOOT + 16}" text-anchor="middle">{label}</text>'


def _marks(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    path = " ".join(f"{scale.x(p.predicted)},{scale.y(p.observed)}" for p in points)
    yield (
        f'<polyline class="mark" points="{path}" fill="none" stroke="{_POINT}"'
        ' stroke-width="2"></polyline>'
    )
    for point in points:
        x = scale.x(point.predicted)
        low, high = interval(point.observed, point.commits)
        yield (
            f'<line class="mark" x1="{x}" y1="{scale.y(low)}" x2="{x}" y2="{scale.y(high)}"'
            f' stroke="{_POINT}" opacity="0.6"></line>'
        )
        yield (
            f'<circle class="mark" cx="{x}" cy="{scale.y(point.observed)}" r="4" fill="{_POINT}">'
            f"<title>{point.predicted:.1%} predicted, {point.observed:.1%} observed of "
            f"{point.commits:,}</title></circle>"
        )


def _bars(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    most = max((point.commits for point in points), default=0)
    for point in points:
        tall = round((_BARS_FOOT - _BARS_TOP) * point.commits / most, 1) if most else 0.0
        yield (
            f'<rect class="mark" x="{round(scale.x(point.predicted) - 3, 1)}"'
            f' y="{_BARS_FOOT - tall}" width="6" height="{tall}" fill="{_POINT}"'
            ' opacity="0.5"></rect>'
        )
    total = sum(point.commits for point in points)
    yield (
        f'<text x="{_RIGHT}" y="{_BARS_TOP - 2}" text-anchor="end" opacity="0.75">'
        f"{total:,} commits</text>"
    )


def _escaped(text: str) -> str:
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(sign, name)
    return text
