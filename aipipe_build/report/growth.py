"""What grew between two images, where, and why."""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LONGEST = 90
"""Letters of an instruction; the table of layers has all of it."""
_WORTH_TELLING = 20_000
_MOST = 12
_EXPLAINS = 0.8
_FEW = 4
_NOISE = 1000
"""A folder that changed by so much less than another one is not told."""


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
    """Return the folders that explain the difference, the largest change first.

    From the top, a folder gives way to its own folders where a few of them hold nearly all that
    moved in it: else it says by itself what a long list of them would.
    """
    old = {row["path"]: row for row in before["folders"]}
    new = {row["path"]: row for row in after["folders"]}
    changes = {
        path: new.get(path, {}).get("size", 0) - old.get(path, {}).get("size", 0)
        for path in old.keys() | new.keys()
    }
    told = _explaining(changes)
    least = max([_WORTH_TELLING, *(abs(changes[path]) // _NOISE for path in told)])
    rows = [
        {
            "path": f"/{path}",
            "before": old.get(path, {}).get("size", 0),
            "after": new.get(path, {}).get("size", 0),
            "change": changes[path],
            "why": _why(old.get(path), new.get(path), before["layers"], after["layers"]),
        }
        for path in told
        if abs(changes[path]) >= least
    ]
    return sorted(rows, key=lambda row: (-abs(row["change"]), row["path"]))


def _explaining(changes: Mapping[str, int]) -> set[str]:
    """Return the folders that say most in a dozen rows."""
    children: dict[str, list[str]] = {}
    for path, change in changes.items():
        if path and abs(change) >= _WORTH_TELLING:
            children.setdefault(posixpath.dirname(path), []).append(path)
    found = {""} & changes.keys()
    pending = sorted(found)
    while pending:
        path = max(pending, key=lambda one: (_moved(one, changes, children), one))
        pending.remove(path)
        below = children.get(path, [])
        if _is_explained(path, changes, children) and len(found) - 1 + len(below) <= _MOST:
            found = found - {path} | set(below)
            pending += below
    return found


def _moved(path: str, changes: Mapping[str, int], children: Mapping[str, list[str]]) -> int:
    """Return the bytes that came and went in a folder, as far as its folders show that."""
    return max(abs(changes[path]), sum(abs(changes[one]) for one in children.get(path, ())))


def _is_explained(path: str, changes: Mapping[str, int], children: Mapping[str, list[str]]) -> bool:
    below = sorted((abs(changes[one]) for one in children.get(path, ())), reverse=True)
    return bool(below) and sum(below[:_FEW]) >= _EXPLAINS * _moved(path, changes, children)


def _why(
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
    layers_before: Sequence[Mapping[str, Any]],
    layers_after: Sequence[Mapping[str, Any]],
) -> str:
    """Return the instruction that most of what a folder gained, or lost, comes from."""
    moved = _by_instruction(new, layers_after)
    moved.subtract(_by_instruction(old, layers_before))
    grew = sum(moved.values()) >= 0
    instruction = (max if grew else min)(moved, key=lambda one: (moved[one], one), default="")
    if len(instruction) > _LONGEST:
        instruction = f"{instruction[: _LONGEST - 1].rstrip()}…"
    return f"{'mostly' if grew else 'was'} of {instruction or 'a layer of no known instruction'}"


def _by_instruction(
    row: Mapping[str, Any] | None, layers: Sequence[Mapping[str, Any]]
) -> Counter[str]:
    """Return a folder's bytes by the instruction that made them.

    What an older version has measured tells the largest layer only.
    """
    found = Counter[str]()
    if row is not None:
        for layer, size in row.get("by_layer") or [(row["layer"], row["size"])]:
            found[layers[layer]["instruction"] if layer < len(layers) else ""] += size
    return found


def _packages(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    old = {(row["ecosystem"], row["name"]): row["version"] for row in before["packages"]}
    new = {(row["ecosystem"], row["name"]): row["version"] for row in after["packages"]}
    return [
        {"ecosystem": key[0], "name": key[1], "before": old.get(key, ""), "after": new.get(key, "")}
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
