"""Pictures of numbers as SVG: the layers of an image, the last builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe_build.report.words import megabytes, seconds
from aipipe_core.findings.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INK, _SOFT, _LINE = "#1b1f24", "#57606a", "#d0d7de"
_KEPT, _WASTED, _SAVED = "#2f6fb2", "#d1742f", "#8fbf8f"


@dataclass(frozen=True, slots=True)
class Shape:
    """Where things stand: labels beside the bars, or above them where there is no room."""

    width: int
    row: int
    bar_at: tuple[int, int]
    longest: int
    letters: int


WIDE = Shape(width=920, row=30, bar_at=(480, 4), longest=330, letters=62)
NARROW = Shape(width=360, row=50, bar_at=(10, 25), longest=250, letters=46)


@dataclass(frozen=True, slots=True)
class _Bar:
    """One row: its label, the two lengths of its bar, and what stands at the bar's end."""

    label: str
    first: float
    second: float
    note: str


def picture_of_layers(image: Mapping[str, Any], shape: Shape = WIDE) -> str:
    """Return a bar for each layer, the lowest at the bottom; what is wasted has its own colour."""
    bars = []
    for number, row in reversed(list(enumerate(image["layers"], 1))):
        wasted = min(row["wasted"], row["size"])
        label = f"{number}  {row['instruction'] or '(unknown)'}"
        bars.append(_Bar(label, row["size"] - wasted, wasted, megabytes(row["size"])))
    total = f"{megabytes(image['size'])} in all, {100 * image['efficiency']:.1f} % of it visible"
    legend = ((_KEPT, "visible"), (_WASTED, "replaced or removed above"))
    return _picture(f"Layers of {image['name']}", bars, legend, total, shape)


def picture_of_builds(builds: Sequence[Mapping[str, Any]], shape: Shape = WIDE) -> str:
    """Return a bar for each build: the seconds that it took, and those that the cache saved."""
    bars = []
    for row in reversed(builds):
        size = f", {megabytes(row['size'])}" if row["size"] is not None else ""
        label = f"{row['run']}: {row['decision']}, {row['result']}{size}"
        bars.append(_Bar(label, row["seconds"], row["saves_seconds"], seconds(row["seconds"])))
    legend = ((_KEPT, "took"), (_SAVED, "saved"))
    return _picture("The last builds", bars, legend, "", shape)


def _picture(
    title: str,
    bars: Sequence[_Bar],
    legend: tuple[tuple[str, str], tuple[str, str]],
    total: str,
    shape: Shape,
) -> str:
    largest = max((bar.first + bar.second for bar in bars), default=0) or 1
    below = 10 + shape.row * len(bars)
    beside = shape.bar_at[0] > shape.width / 3
    height = below + (34 if beside or not total else 60)
    colours = (legend[0][0], legend[1][0])
    parts = [_open(shape.width, height, title)]
    for at, bar in enumerate(bars):
        parts += _row(bar, 8 + at * shape.row, shape.longest / largest, colours, shape)
    if total:
        parts.append(_text(10, below + 17, total, _INK))
    x, y = shape.bar_at[0], below if beside or not total else below + 24
    for colour, word in legend:
        parts += [_rect(x, y + 6, 12, 12, colour), _text(x + 18, y + 17, word, _SOFT)]
        x += 90
    return "\n".join([*parts, "</svg>"])


def _row(bar: _Bar, y: int, scale: float, colours: tuple[str, str], shape: Shape) -> list[str]:
    x, down = shape.bar_at
    first, second = bar.first * scale, bar.second * scale
    parts = [_text(10, y + 17, _cut(bar.label, shape.letters), _INK)]
    if first >= 1 or second < 1:
        parts.append(_rect(x, y + down, max(first, 1.0), 18, colours[0]))
    if second >= 1:
        parts.append(_rect(x + first, y + down, second, 18, colours[1]))
    return [*parts, _text(x + max(first + second, 1.0) + 8, y + down + 13, bar.note, _SOFT)]


def _open(width: int, height: int, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="13">\n'
        f"<title>{_escape(title)}</title>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6" '
        f'fill="#ffffff" stroke="{_LINE}"/>'
    )


def _text(x: float, y: float, text: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{_escape(text)}</text>'


def _rect(x: float, y: float, width: float, height: int, colour: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}"'
    return f'<rect {place} fill="{colour}"/>'


def _cut(text: str, limit: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _escape(text: str) -> str:
    """Return text as XML can hold it: an instruction is a stranger's text."""
    plain = " ".join(clean(text).split())
    for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        plain = plain.replace(char, name)
    return plain
