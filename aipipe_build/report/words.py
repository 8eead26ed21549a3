"""The words that all renderings share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_WRONG = ("false-hit", "false-miss", "absent")
_MINUTE = 60


def seconds(value: float) -> str:
    """Return seconds as a person reads them."""
    if value < _MINUTE:
        return f"{value:.1f} s"
    return f"{int(value // _MINUTE)} min {value % _MINUTE:.0f} s"


def megabytes(size: float) -> str:
    """Return bytes as a person reads them, in the units that registries use."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(size) >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} B"


def signed(size: float) -> str:
    """Return a difference of bytes, with its sign."""
    return f"{'+' if size > 0 else '-' if size < 0 else ''}{megabytes(abs(size))}"


def title(image: Mapping[str, Any]) -> str:
    """Return the line that stands above an image."""
    result = image["result"].replace("-", " ")
    took = f" in {seconds(image['seconds'])}" if image["result"] in ("built", "failed") else ""
    saved = f", saved {seconds(image['saves_seconds'])}" if image["saves_seconds"] else ""
    return f"{image['name']}: {image['decision']}, {result}{took}{saved} ({image['reason']})"


def counts(image: Mapping[str, Any]) -> Counter[str]:
    """Return how often each agreement of prediction and fact occurs."""
    return Counter(step["agreement"] for step in image["steps"])


def wrong_steps(image: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the steps that were predicted wrongly; a failed build proves nothing."""
    if image["result"] != "built":
        return []
    return [step for step in image["steps"] if step["agreement"] in _WRONG]


def agreement_in_words(found: Mapping[str, int]) -> str:
    """Return ``3 steps predicted right, 1 depended on another stage``."""
    total = sum(found.values())
    words = {
        "conditional": "depended on another stage",
        "abstained": "could not be told",
        "unrecorded": "cached, though nothing was on record",
        "false-hit": "ran though it was to be cached",
        "false-miss": "cached though it was to run",
        "absent": "on one side only",
    }
    right = f"{found.get('right', 0)} of {total} step{'s' * (total != 1)} predicted right"
    return ", ".join(
        [right, *(f"{found[key]} {text}" for key, text in words.items() if found.get(key))]
    )
