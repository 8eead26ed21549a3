"""The base version's files beside the project: made once, kept for the next run."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from aipipe_core.change import base_worktree
from aipipe_core.change.git import run
from pytest_aipipe.session.folder import own_folder, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from aipipe_core.change.model import Change

BUILT = frozenset({".py", ".so", ".pyd"})
"""Endings of what a build leaves beside the code and an import needs."""

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
    _add_built(change, made)
    os.utime(made)
    _forget(folder, made)
    return made


def _add_built(change: Change, base: Path) -> None:
    """Add the modules of the changed packages that a build left and git ignores.

    A version file or an extension is not in the repository, and without it nothing imports.
    """
    for package in _packages(change):
        argv = ("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", package)
        listed = run(change.root, *argv, check=False).out.split(b"\0")
        for name in filter(None, map(os.fsdecode, listed)):
            source, target = change.root / name, base / name
            if source.suffix in BUILT and source.is_file() and target.parent.is_dir():
                shutil.copy2(source, target)


def _packages(change: Change) -> list[str]:
    """Return the outermost package of each changed module, from the repository's top."""
    found = []
    for file in change.files:
        folder = (change.root / file.path).parent
        package = None
        while folder != change.root and (folder / "__init__.py").exists():
            package, folder = folder, folder.parent
        if package is not None and file.is_python:
            found.append(package.relative_to(change.root).as_posix())
    return list(dict.fromkeys(found))


def _forget(folder: Path, current: Path) -> None:
    """Throw away all but the versions that were used last."""
    known = [place for place in folder.iterdir() if place.is_dir() and place.name.isalnum()]
    known.sort(key=lambda place: place.stat().st_mtime, reverse=True)
    for place in known[KEPT:]:
        if place != current:
            shutil.rmtree(place, ignore_errors=True)
