"""Pictures of numbers as SVG: the layers of an image, the last builds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_build.report.words import megabytes, seconds
from aipipe_core.findings.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH = 920
_LABEL = 480
_ROW = 30
_BAR = 300
_INK, _SOFT, _LINE = "#1b1f24", "#57606a", "#d0d7de"
_KEPT, _WASTED, _SAVED = "#2f6fb2", "#d1742f", "#8fbf8f"


def picture_of_layers(image: Mapping[str, Any]) -> str:
    """Return a bar for each layer, the lowest at the bottom; what is wasted has its own colour."""
    layers = list(enumerate(image["layers"], 1))
    largest = max((row["size"] for _, row in layers), default=0) or 1
    height = _ROW * len(layers) + 40
    parts = [_open(height, f"Layers of {image['name']}")]
    for at, (number, row) in enumerate(reversed(layers)):
        y = 8 + at * _ROW
        whole = _BAR * row["size"] / largest
        wasted = _BAR * min(row["wasted"], row["size"]) / largest
        parts += [
            _text(8, y + 17, f"{number}", _SOFT),
            _text(34, y + 17, _cut(row["instruction"] or "(unknown)", 62), _INK),
            _rect(_LABEL, y + 4, max(whole, 1.0), _KEPT),
            _rect(_LABEL + whole - wasted, y + 4, wasted, _WASTED) if wasted >= 1 else "",
            _text(_LABEL + whole + 8, y + 17, megabytes(row["size"]), _SOFT),
        ]
    y = 8 + len(layers) * _ROW
    legend = f"{megabytes(image['size'])} in all, {100 * image['efficiency']:.1f} % of it visible"
    parts += [
        _rect(_LABEL, y + 8, 12, _KEPT), _text(_LABEL + 18, y + 18, "visible", _SOFT),
        _rect(_LABEL + 90, y + 8, 12, _WASTED),
        _text(_LABEL + 108, y + 18, "replaced or removed above", _SOFT),
        _text(8, y + 18, legend, _INK),
    ]  # fmt: skip
    return "\n".join([part for part in parts if part] + ["</svg>"])


def picture_of_builds(builds: Sequence[Mapping[str, Any]]) -> str:
    """Return a bar for each build: the seconds that it took, and those that the cache saved."""
    largest = max((row["seconds"] + row["saves_seconds"] for row in builds), default=0) or 1
    parts = [_open(_ROW * len(builds) + 40, "The last builds")]
    for at, row in enumerate(reversed(builds)):
        y = 8 + at * _ROW
        took = _BAR * row["seconds"] / largest
        saved = _BAR * row["saves_seconds"] / largest
        size = f", {megabytes(row['size'])}" if row["size"] is not None else ""
        label = f"{row['run']}: {row['decision']}, {row['result']}{size}"
        parts += [
            _text(8, y + 17, _cut(label, 66), _INK),
            _rect(_LABEL, y + 4, max(took, 1.0), _KEPT),
            _rect(_LABEL + max(took, 1.0), y + 4, saved, _SAVED) if saved >= 1 else "",
            _text(_LABEL + took + saved + 10, y + 17, seconds(row["seconds"]), _SOFT),
        ]
    y = 8 + len(builds) * _ROW
    parts += [
        _rect(_LABEL, y + 8, 12, _KEPT), _text(_LABEL + 18, y + 18, "took", _SOFT),
        _rect(_LABEL + 90, y + 8, 12, _SAVED), _text(_LABEL + 108, y + 18, "saved", _SOFT),
    ]  # fmt: skip
    return "\n".join([part for part in parts if part] + ["</svg>"])


def _open(height: int, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="13">\n'
        f"<title>{_escape(title)}</title>\n"
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff" stroke="{_LINE}"/>'
    )


def _text(x: float, y: float, text: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{_escape(text)}</text>'


def _rect(x: float, y: float, width: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="18" fill="{colour}"/>'


def _cut(text: str, limit: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _escape(text: str) -> str:
    """Return text as XML can hold it: an instruction is a stranger's text."""
    plain = " ".join(clean(text).split())
    for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        plain = plain.replace(char, name)
    return plain
