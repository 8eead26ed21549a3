"""What grew between two images, where, and why."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 90
"""Letters of an instruction; the table of layers has all of it."""
_WORTH_TELLING = 20_000
_MOST = 12
_EXPLAINS = 0.8


def growth(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Compare two ``image`` documents: the sum, the folders that explain it, the packages."""
    return {
        "image": before["image"],
        "size": before["size"],
        "change": after["size"] - before["size"],
        "folders": _folders(before, after),
        "packages": _packages(before, after),
    }


def _folders(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the deepest folders that explain the difference, the largest change first.

    A folder one of whose children holds nearly all of its change says nothing that the child
    does not say better.
    """
    old = {row["path"]: row for row in before["folders"]}
    new = {row["path"]: row for row in after["folders"]}
    changes = {
        path: new.get(path, {}).get("size", 0) - old.get(path, {}).get("size", 0)
        for path in old.keys() | new.keys()
    }
    children: dict[str, list[str]] = {}
    for path in changes:
        if path:
            children.setdefault(posixpath.dirname(path), []).append(path)
    rows = []
    for path, change in changes.items():
        below = [changes[child] for child in children.get(path, ())]
        if abs(change) < _WORTH_TELLING or _explained(change, below):
            continue
        source = new.get(path)
        rows.append(
            {
                "path": f"/{path}",
                "before": old.get(path, {}).get("size", 0),
                "after": new.get(path, {}).get("size", 0),
                "change": change,
                "why": _why(source, after if source else before, old.get(path)),
            }
        )
    rows = _without_parents(rows)
    return sorted(rows, key=lambda row: (-abs(row["change"]), row["path"]))[:_MOST]


def _explained(change: int, below: list[int]) -> bool:
    return any(abs(one) >= _EXPLAINS * abs(change) and one * change > 0 for one in below)


def _without_parents(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave a folder out where the folders below it that are told make up most of its change."""
    kept = []
    for row in rows:
        prefix = row["path"].rstrip("/") + "/"
        inner = sum(r["change"] for r in rows if r["path"].startswith(prefix) and r is not row)
        direct = not any(r["path"].startswith(prefix) for r in rows if r is not row)
        if direct or abs(row["change"] - inner) >= max(_WORTH_TELLING, 0.2 * abs(row["change"])):
            kept.append(row)
    return kept


def _why(
    row: Mapping[str, Any] | None,
    image: Mapping[str, Any],
    old: Mapping[str, Any] | None,
) -> str:
    """Return the instruction that made most of a folder."""
    source = row or old
    if source is None:
        return ""
    layers = image["layers"]
    instruction = layers[source["layer"]]["instruction"] if source["layer"] < len(layers) else ""
    verb = "was of" if row is None else "mostly of"
    if len(instruction) > _LONGEST:
        instruction = f"{instruction[: _LONGEST - 1].rstrip()}…"
    return f"{verb} {instruction}" if instruction else f"in layer {source['layer'] + 1}"


def _packages(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    old = {(row["ecosystem"], row["name"]): row["version"] for row in before["packages"]}
    new = {(row["ecosystem"], row["name"]): row["version"] for row in after["packages"]}
    return [
        {"ecosystem": key[0], "name": key[1], "before": old.get(key, ""), "after": new.get(key, "")}
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
