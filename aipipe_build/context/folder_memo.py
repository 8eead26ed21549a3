"""Digests of whole directories, remembered by what ``stat`` says of all that is in them.

Where nothing below a directory was touched its digest is known without one look at a file's
own row. What counts is hashed, not compared: size, mode, both times and inode of every file,
the digest of every folder. A directory is remembered only where the stat cache vouches for
each of its files, and for good reason (see :meth:`StatCache.doubts`).
"""

from __future__ import annotations

import hashlib
import marshal
from typing import TYPE_CHECKING

from aipipe_build.context.stat_cache import read_rows, write_rows

if TYPE_CHECKING:
    import os
    from pathlib import Path

# The last of marshal's forms that writes equal values as equal bytes.
_FORM = 2


def stat_row(name: str, stat: os.stat_result) -> tuple[str | int, ...]:
    """Return what says that a file, link or other thing is as it was."""
    return (
        name, stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino,
        stat.st_rdev,
    )  # fmt: skip


def signature(rows: list[tuple[str | int, ...]]) -> str:
    """Return one digest for the rows: equal ones have equal rows."""
    return hashlib.sha256(marshal.dumps(rows, _FORM)).hexdigest()


class FolderMemo:
    """The memory of one context, kept at ``location``; a damaged one is empty."""

    def __init__(self, location: Path) -> None:
        self._location = location.with_suffix(".folders.json")
        self._rows: dict[str, list[str]] = {
            path: row
            for path, row in read_rows(self._location).items()
            if isinstance(row, list) and len(row) == 2  # noqa: PLR2004 - signed and digest
        }
        self._changed = False

    def digest(self, path: str, signed: str) -> str | None:
        """Return the digest of the directory ``path`` if it is still what was ``signed``."""
        row = self._rows.get(path)
        return row[1] if row and row[0] == signed else None

    def keep(self, path: str, signed: str, digest: str) -> None:
        """Remember a directory."""
        self._rows[path] = [signed, digest]
        self._changed = True

    def save(self) -> None:
        """Write what was learned. Raises ``OSError``."""
        if self._changed:
            write_rows(self._location, self._rows)
            self._changed = False
