"""The base version as files: a checkout that leaves the user's repository untouched.

``git worktree add`` would leave an entry in ``.git/worktrees``, and ``git archive`` would
obey ``export-ignore``; a private index and ``checkout-index`` do neither.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.change.git import run
from aipipe_core.change.resolve import EMPTY_TREES

if TYPE_CHECKING:
    from aipipe_core.change.model import Change


def base_worktree(change: Change, folder: Path) -> Path:
    """Return a folder that holds the base version's files, made once below ``folder``.

    It is named by the base's hash, and appears whole or not at all, also when two processes
    make it at the same time. Submodules are empty folders. Raises ``SurroundingsError``
    (``git-failed``) where git cannot write the files.
    """
    final = folder.absolute() / change.base
    if final.is_dir():
        return final
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="making-") as scratch:
        files = Path(scratch, "files").absolute()
        files.mkdir()
        _check_out(change, files, Path(scratch, "index").absolute())
        try:
            files.rename(final)
        except OSError:
            if not final.is_dir():
                raise
            shutil.rmtree(files, ignore_errors=True)  # another process was first
    return final


def _check_out(change: Change, files: Path, index: Path) -> None:
    environ = {"GIT_INDEX_FILE": str(index)}
    whole = ("-c", "core.sparseCheckout=false", "-c", "index.sparse=false")
    tree = "--empty" if change.base in EMPTY_TREES else change.base
    run(change.root, *whole, "read-tree", tree, environ=environ)
    argv = (*whole, "checkout-index", "--all", "--force", "--quiet", f"--prefix={files}/")
    run(change.root, *argv, environ=environ)
