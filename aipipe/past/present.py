"""A change that is no commit yet, in the form of one, so that it is measured as the past was."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from aipipe.past.commit import FilePatch, HunkLines, PastCommit
from aipipe_core.change.git import run
from aipipe_core.change.spec import STAGED, WORKTREE

if TYPE_CHECKING:
    from aipipe_core.change import Change, FileChange


def as_commit(change: Change) -> PastCommit:
    """Return the change as one commit on its base: by its last author, or by the user, now."""
    if change.head in (STAGED, WORKTREE):
        author = run(change.root, "config", "user.email", check=False).text
        when = int(time.time())
    else:
        argv = ("log", "-1", "--no-show-signature", "--format=%ae%x1f%ct", change.head, "--")
        author, _, stamp = run(change.root, *argv).text.partition("\x1f")
        when = int(stamp)
    files = [_file(file) for file in change.files]
    # The newest message stands first; a change of several commits is known by its last.
    message = change.message if change.head not in (STAGED, WORKTREE) else ""
    return PastCommit(change.head, (change.base,), when, author.strip().lower(), message, files)


def _file(file: FileChange) -> FilePatch:
    hunks = [
        HunkLines(
            hunk.old_start,
            hunk.new_start,
            _holder(file, hunk.new_start),
            [os.fsencode(line) for line in hunk.removed],
            [os.fsencode(line) for line in hunk.added],
        )
        for hunk in file.hunks
    ]
    status = {"C": "A", "T": "M"}.get(file.status, file.status)
    return FilePatch(file.path, status, file.old_path or "", file.binary, hunks)


def _holder(file: FileChange, line: int) -> bytes:
    """Return what git would show behind the hunk: the innermost definition around it."""
    for symbol in file.symbols:
        if symbol.start <= line <= symbol.end:
            return symbol.qualname.encode()
    return b""
