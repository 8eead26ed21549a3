"""The report on an image: its layers, what grew since the last one, what the cache saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_build.image.archive import load_image
from aipipe_build.report.builds import BUILD, IMAGE, last_builds, measured, measures
from aipipe_build.report.growth import growth
from aipipe_build.report.measure import measure_image
from aipipe_core.documents import write_document
from aipipe_core.errors import AipipeError, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SCHEMA = 1


def keep_measures(folder: Path, images: Iterable[tuple[str, str]], current: Path) -> None:
    """Measure images, pairs of name and reference, and keep that in the run's folder.

    Raises what an image that cannot be had raises.
    """
    rows = [
        measure_image(load_image(reference, current), name=name, identity=reference)
        for name, reference in images
    ]
    if rows:
        write_document(folder / IMAGE, "image", {"schema": SCHEMA, "images": rows})


def report_image(
    run: Mapping[str, Any], path: Path, folders: list[Path], current: Path, *, name: str = ""
) -> dict[str, Any]:
    """Return the document ``image-report`` for a run's image, the first unless one is named.

    What was not measured when it was built is measured now. Raises ``image-not-in-run``,
    ``image-missing``.
    """
    image = _chosen(run, path, name)
    now = measured(path.parent, image["name"])
    if now is None:
        # By its digest: a tag may have moved on to another image.
        loaded = load_image(image["image"] or next(iter(image["tags"]), ""), current)
        now = measure_image(loaded, name=image["name"], identity=image["image"])
        _keep(path.parent, now)
    builds = last_builds(folders, image["name"], until=path)
    before = _last_other(folders, builds, now["image"], image["name"])
    return {
        "schema": SCHEMA,
        "run": path.parent.name,
        "image": {key: value for key, value in now.items() if key not in ("folders", "packages")},
        "folders": [
            {key: row[key] for key in ("path", "size", "layer")}
            for row in sorted(now["folders"], key=lambda row: -row["size"])[:40]
        ],
        "packages": len(now["packages"]),
        "against": None if before is None else growth(before, now),
        "cache": _cache(image),
        "builds": builds,
    }


def _chosen(run: Mapping[str, Any], path: Path, name: str) -> Mapping[str, Any]:
    rows = [one for one in run["images"] if one["name"] == name or not name]
    rows = [one for one in rows if one["result"] in ("built", "retagged")]
    if not rows:
        raise RequestError(
            "image-not-in-run",
            f"the run has built no image{f' named {name!r}' if name else ''}",
            where=str(path),
            hint="Name another run, or one of its images with --image.",
        )
    chosen: Mapping[str, Any] = rows[0]
    return chosen


def _keep(folder: Path, row: dict[str, Any]) -> None:
    """Put a measure beside the run's others; that it cannot be kept does not stop its telling."""
    rows = [*measures(folder), row]
    try:
        write_document(folder / IMAGE, "image", {"schema": SCHEMA, "images": rows})
    except AipipeError:
        return


def _last_other(
    folders: list[Path], builds: list[dict[str, Any]], image: str, name: str
) -> dict[str, Any] | None:
    """Return the measure of the newest image before this one."""
    for row in reversed(builds[:-1]):
        if row["image"] == image:
            continue
        for folder in folders:
            if (folder / row["run"] / BUILD).is_file():
                found = measured(folder / row["run"], name)
                if found is not None:
                    return found
    return None


def _cache(image: Mapping[str, Any]) -> dict[str, Any]:
    steps = image["steps"]
    return {
        "decision": image["decision"],
        "reason": image["reason"],
        "seconds": image["seconds"],
        "saves_seconds": image["saves_seconds"],
        "cached": [
            {"instruction": step["instruction"], "saves_seconds": step["saves_seconds"]}
            for step in steps
            if step["fact"] == "cached"
        ],
        "ran": [
            {"instruction": step["instruction"], "seconds": step["seconds"], "cause": step["cause"]}
            for step in steps
            if step["fact"] == "ran"
        ],
    }
