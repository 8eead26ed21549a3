"""One decision for all workers of a session.

xdist refuses workers that collected different tests, and a store that others write to may
answer two workers differently. So the first worker that comes decides, and the others take
what it decided.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import time
from typing import TYPE_CHECKING

from pytest_aipipe.select.decide import Selection
from pytest_aipipe.session.folder import own_folder, write_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEPT_SECONDS = 3600.0


def agreed(
    root: Path, session: str, decide: Callable[[], tuple[Selection, list[str]]]
) -> tuple[Selection, list[str]]:
    """Return the selection and order of ``session``: another worker's, or our own for them."""
    folder = own_folder(root, "select")
    place = folder / f"{session}.json"
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.exists():
            told = json.loads(place.read_text("utf-8"))
            return Selection(told["collected"], told["reasons"], told["left_out"]), told["order"]
        selection, order = decide()
        told = {
            "collected": selection.collected,
            "reasons": dict(selection.reasons),
            "left_out": dict(selection.left_out),
            "order": order,
        }
        write_text(place, json.dumps(told))
        _forget(folder)
    return selection, order


def _forget(folder: Path) -> None:
    for old in folder.glob("*.json"):
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                old.unlink()
