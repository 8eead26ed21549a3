"""Times as a person says them."""

from __future__ import annotations

MINUTES_FROM = 120


def in_words(seconds: float) -> str:
    """Return ``45 s``, ``1.5 s`` or ``10 min``."""
    if seconds >= MINUTES_FROM:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:g} s" if seconds == int(seconds) else f"{seconds:.1f} s"
