"""A condition: under what a child pytest starts. The pinned one leaves nothing to chance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON = 12 * 3600 + 34 * 60 + 7.25
DAY = 86_400
PINNED_SEED = 1


@dataclass(frozen=True, slots=True)
class Condition:
    """``environment`` and ``knobs`` hold from the start, imports included.

    ``None`` for an environment variable removes it.
    """

    name: str
    environment: Mapping[str, str | None] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)

    def but(self, name: str, /, environment: Mapping[str, str | None] | None = None,
            **knobs: Any) -> Condition:  # fmt: skip
        """Return this condition with some of it changed."""
        return Condition(name, {**self.environment, **(environment or {})}, {**self.knobs, **knobs})


def pinned(today: float) -> Condition:
    """Return the condition in which hash seed, chance, time and zone are fixed.

    ``today`` is any time of the day whose noon the clock is set to.
    """
    at = today // DAY * DAY + NOON
    environment: dict[str, str | None] = {
        "PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8",
        "PYTHONUTF8": None, "PYTHONCOERCECLOCALE": None, "PYTHONIOENCODING": None,
    }  # fmt: skip
    return Condition("pinned", environment, {"entropy": PINNED_SEED, "clock": at})


def natural(hash_seed: int) -> Condition:
    """Return the condition of an ordinary run: all is left to chance but a known hash seed."""
    return Condition("natural", {"PYTHONHASHSEED": str(hash_seed)})
