"""The base version's files beside the project: made once, kept for the next run."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from aipipe_core.change import base_worktree
from pytest_aipipe.session.folder import own_folder, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from aipipe_core.change.model import Change

KEPT = 3
"""Versions that are kept: a branch is compared with the same one again and again."""

SPARED = '''\
"""What lies here is the project as it was: not to be collected, wherever pytest looks."""

collect_ignore_glob = ["*"]
'''


def base_files(change: Change) -> Path:
    """Return a folder under ``.aipipe/base/`` that holds the base version's files.

    Raises ``SurroundingsError`` (``git-failed``) where git cannot write them.
    """
    folder = own_folder(change.root, "base")
    if not (folder / "conftest.py").exists():
        write_text(folder / "conftest.py", SPARED)
    made = base_worktree(change, folder)
    os.utime(made)
    _forget(folder, made)
    return made


def _forget(folder: Path, current: Path) -> None:
    """Throw away all but the versions that were used last."""
    known = [place for place in folder.iterdir() if place.is_dir() and place.name.isalnum()]
    known.sort(key=lambda place: place.stat().st_mtime, reverse=True)
    for place in known[KEPT:]:
        if place != current:
            shutil.rmtree(place, ignore_errors=True)
