"""The contents of files at a revision, in the index, or in the working tree."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aipipe_core.change.git import run
from aipipe_core.change.resolve import EMPTY_TREES, commit
from aipipe_core.change.spec import STAGED, WORKTREE

if TYPE_CHECKING:
    from collections.abc import Iterable


def file_at(root: Path, rev: str, path: str) -> bytes | None:
    """Return the content of ``path`` at ``rev``, or None where there is no such file.

    ``rev`` is a commit, ``"staged"`` or ``"worktree"``; ``path`` counts from the repository's
    top, which ``root`` is. Of a symbolic link the content is its target; a folder and a
    submodule have none. An unknown revision raises as it does in a SPEC.
    """
    if _leads_out(path) or rev in EMPTY_TREES:
        return None
    if rev == WORKTREE:
        return _on_disk(Path(root, path))
    name = f":0:{path}" if rev == STAGED else f"{rev}:{path}"
    output = run(root, "cat-file", "blob", name, check=False)
    if output.code and rev != STAGED:
        commit(root, rev)  # an unknown revision is an error, and no missing file
    return output.out if output.code == 0 else None


def _leads_out(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in path


def _on_disk(path: Path) -> bytes | None:
    try:
        if path.is_symlink():
            return os.fsencode(path.readlink())
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def blobs(top: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the content of each object in ``names``, read by one process."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    asked = "".join(f"{name}\n" for name in wanted).encode("ascii")
    output = run(top, "cat-file", "--batch", stdin=asked).out
    found: dict[str, bytes] = {}
    position = 0
    while position < len(output):
        end = output.index(b"\n", position)
        header = output[position:end].split(b" ")
        position = end + 1
        if len(header) != 3:  # noqa: PLR2004 - "<name> missing" has two words, a found one three
            continue
        size = int(header[2])
        found[header[0].decode("ascii")] = output[position : position + size]
        position += size + 1
    return found
