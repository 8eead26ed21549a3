"""A changed file as text, on either side of the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.change.git import run
from aipipe_core.change.spec import STAGED, WORKTREE

if TYPE_CHECKING:
    from aipipe_core.change import Change


def before(change: Change, path: str) -> str:
    """Return the file at the change's base; empty where it is not there."""
    return _at(change, change.base, path)


def after(change: Change, path: str) -> str:
    """Return the file at the change's head; empty where it is not there.

    Both raise ``UnicodeDecodeError``, a ValueError, for what is no text.
    """
    if change.head == WORKTREE:
        place = change.root / path
        return place.read_text(encoding="utf-8") if place.is_file() else ""
    return _at(change, "" if change.head == STAGED else change.head, path)


def _at(change: Change, revision: str, path: str) -> str:
    found = run(change.root, "show", f"{revision}:{path}", check=False)
    return found.out.decode("utf-8") if found.code == 0 else ""
