"""The kept model's calibration curve, for pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe.calibrate.kept import load
from aipipe.calibrate.picture import picture, points_of
from aipipe.past.learn import FOLDER

if TYPE_CHECKING:
    from pathlib import Path


def curve_of(top: Path) -> str:
    """Return the picture for the repository at ``top``; empty where nothing was judged."""
    kept = load(top / ".aipipe" / FOLDER)
    if kept is None or not kept.curve:
        return ""
    return picture(
        points_of(kept.curve), f"What the model said, and what came ({kept.fitted[:10]})"
    )
