"""A throw-away copy of the index that also knows the untracked files.

With it one ``git diff`` compares a commit with the whole working tree, renames into files
that were never added among them. The user's index is read and never written.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.change.git import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OWN_FOLDER = ".aipipe"
"""What we keep beside a project is never a part of its change."""


def untracked(top: Path) -> list[bytes]:
    """Return the untracked files that are not ignored, as paths below ``top``.

    Repositories inside the repository (listed with a slash at the end) are not its files.
    """
    listed = run(top, "ls-files", "--others", "--exclude-standard", "-z").out.split(b"\0")
    return [name for name in listed if name and not name.endswith(b"/") and not _is_own(name)]


def _is_own(name: bytes) -> bool:
    return os.fsencode(OWN_FOLDER) in name.split(b"/")[:-1]


def unmerged(top: Path) -> list[bytes]:
    """Return the paths that a merge left in conflict."""
    listed = run(top, "ls-files", "--unmerged", "-z").out.split(b"\0")
    return sorted({record.split(b"\t", 1)[1] for record in listed if record})


@contextmanager
def scratch_index(top: Path) -> Iterator[Mapping[str, str]]:
    """Yield the environment under which the index holds the whole working tree.

    Empty where the real index will do. An entry's object is never looked up: its time stamp
    says that the file differs, so that git reads the file itself.
    """
    extra, conflicts = untracked(top), unmerged(top)
    if not extra and not conflicts:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="aipipe-index-") as folder:
        index = Path(folder, "index")
        real = Path(top, run(top, "rev-parse", "--git-path", "index").text)
        if real.exists():
            # With its time: an edit within the second of the last `git add` is told only by
            # comparing the two (git's Documentation/technical/racy-git).
            shutil.copy2(real, index)
        environ = {"GIT_INDEX_FILE": str(index)}
        records = _index_info(top, extra, conflicts)
        run(top, "update-index", "-z", "--index-info", stdin=records, environ=environ)
        yield environ


def _index_info(top: Path, extra: list[bytes], conflicts: list[bytes]) -> bytes:
    blob = run(top, "hash-object", "--stdin").text.encode("ascii")
    zero = b"0" * len(blob)
    dropped = b"".join(b"0 %s\t%s\0" % (zero, name) for name in conflicts)
    present = [name for name in conflicts if os.path.lexists(os.path.join(os.fsencode(top), name))]  # noqa: PTH118 - a path in bytes
    return dropped + b"".join(b"100644 %s\t%s\0" % (blob, name) for name in [*extra, *present])
