"""The numbers of the last builds, from the folders of their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_core.documents import read_document
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from pathlib import Path

LAST = 10
IMAGE = "image.json"
BUILD = "build.json"


def family(name: str) -> str:
    """Return an image's name without its tag: each commit may have one of its own."""
    head, slash, tail = name.partition("@")[0].rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}"


def last_builds(
    folders: list[Path], name: str, *, until: Path | None = None
) -> list[dict[str, Any]]:
    """Return the last ten runs that built ``name``, the oldest first.

    ``until`` is the last run that counts. A run whose document is damaged is left out.
    """
    paths = sorted((path for folder in folders for path in folder.glob(f"*/{BUILD}")), key=_age)
    if until is not None and until in paths:
        paths = paths[: paths.index(until) + 1]
    rows = []
    for path in reversed(paths):
        row = _row(path, name)
        if row is not None:
            rows.append(row)
        if len(rows) == LAST:
            break
    return list(reversed(rows))


def measured(folder: Path, name: str) -> dict[str, Any] | None:
    """Return what was measured of an image in a run's folder, None where nothing was."""
    return next((row for row in measures(folder) if family(row["name"]) == family(name)), None)


def measures(folder: Path) -> list[dict[str, Any]]:
    """Return what was measured of the images in a run's folder."""
    try:
        rows: list[dict[str, Any]] = read_document(folder / IMAGE, "image")["images"]
    except AipipeError:
        return []
    return rows


def _age(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, str(path)


def _row(path: Path, name: str) -> dict[str, Any] | None:
    try:
        document = read_document(path, "build")
    except AipipeError:
        return None
    image = next((one for one in document["images"] if family(one["name"]) == family(name)), None)
    if image is None:
        return None
    facts = [step["fact"] for step in image["steps"]]
    size = measured(path.parent, name)
    return {
        "run": path.parent.name,
        "image": image["image"],
        "decision": image["decision"],
        "result": image["result"],
        "seconds": image["seconds"],
        "saves_seconds": image["saves_seconds"],
        "cached": facts.count("cached"),
        "ran": facts.count("ran") + facts.count("failed"),
        "size": size["size"] if size else None,
    }
