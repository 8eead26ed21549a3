"""An image's numbers: by layer, by folder, by package. Kept with the run that built it."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from aipipe_build.image.packages import installed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aipipe_build.image.archive import Image
    from aipipe_build.image.entry import Entry

SCHEMA = 1
_DEEPEST = 7
_SMALLEST = 20_000
_MOST_FOLDERS = 2000
_MOST_FILES = 5


def measure_image(image: Image, *, name: str, identity: str = "") -> dict[str, Any]:
    """Return the document ``image`` of one image."""
    hidden = Counter[int]()
    for entry in image.tree.hidden:
        hidden[entry.layer] += entry.size
    return {
        "schema": SCHEMA,
        "name": name,
        "image": identity or image.identity,
        "size": image.size,
        "wasted": image.tree.wasted,
        "efficiency": round(image.efficiency, 4),
        "layers": [
            {
                "digest": layer.digest,
                "instruction": made_by,
                "size": layer.size,
                "wasted": hidden[index],
                "files": sum(entry.kind != "d" for entry in layer.entries.values()),
                "largest": _largest(layer.entries.values()),
            }
            for index, (layer, made_by) in enumerate(zip(image.layers, image.made_by, strict=True))
        ],
        "folders": _folders(image.tree.entries.values()),
        "packages": [
            {"ecosystem": one.ecosystem, "name": one.name, "version": one.version}
            for one in installed(image.tree)
        ],
    }


def _largest(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    rows = sorted(entries, key=lambda entry: (-entry.size, entry.path))
    return [{"path": e.path, "size": e.size} for e in rows[:_MOST_FILES] if e.size]


def _folders(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the folders that hold most, with the layers that it comes from, the largest first."""
    sizes = Counter[str]()
    layers: dict[str, Counter[int]] = defaultdict(Counter)
    for entry in entries:
        if not entry.size:
            continue
        folder = posixpath.dirname(entry.path)
        parts = folder.split("/")[:_DEEPEST] if folder else []
        for depth in range(len(parts) + 1):
            path = "/".join(parts[:depth])
            sizes[path] += entry.size
            layers[path][entry.layer] += entry.size
    # Those at the top are kept whatever they hold: else a first file would look like all of it.
    rows = [
        (path, size)
        for path, size in sizes.most_common(_MOST_FOLDERS)
        if size >= _SMALLEST or path.count("/") < 1
    ]
    return [
        {
            "path": path,
            "size": size,
            "layer": layers[path].most_common(1)[0][0],
            "by_layer": [list(pair) for pair in layers[path].most_common()],
        }
        for path, size in sorted(rows)
    ]
