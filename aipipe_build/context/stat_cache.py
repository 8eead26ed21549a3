"""Digests of file contents, remembered by what ``stat`` says of the file.

Two memories in one file per context. *Files* holds the true digests and is trusted only while
size, both times and the inode are as they were and the last write is old enough to be told
from the next one (git's rule for its index). *Sent* holds what the builder was given at the
last recorded build: BuildKit compares size, mode and modification time only, so content that
changed behind an equal stat is not sent again, and the key stays that of the old content. A
directory that was there before keeps the permission bits of that time in its key.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from aipipe_build.light import field, light
from aipipe_core.store.folder import make_inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_build.context.tree import Entry

_SCHEMA = 1
# A write within this of the moment of hashing may leave the same times behind.
_RACY_NS = 20_000_000
_CHUNK = 1 << 20

# size, mtime_ns, ctime_ns, inode, digest, diverged
_FileRow: TypeAlias = tuple[int, int, int, int, str, int]
# size, mtime_ns, mode, digest
_SentRow: TypeAlias = tuple[int, int, int, str]


def hash_file(path: str) -> str:
    """Return the hex SHA-256 of a file's content. Raises ``OSError``."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - ten thousand Paths cost
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@light()
class StatCache:
    """The memory of one context; ``location`` is None for one that is not kept."""

    location: Path | None = None
    stale: dict[str, str] = field(default_factory=dict)
    """Paths whose content changed behind an equal stat, with the digest of the true content."""
    _read_files: dict[str, _FileRow] | None = None
    _sent: dict[str, _SentRow] | None = None
    _folders: dict[str, int] | None = None
    _changed: bool = False
    _now: int = 0

    @classmethod
    def load(cls, location: Path) -> StatCache:
        """Use the memory at ``location``; a missing or damaged one is empty."""
        return cls(location=location, _now=time.time_ns())

    @property
    def _files(self) -> dict[str, _FileRow]:
        """The rows, read when the first is asked for: often whole directories are vouched for."""
        if self._read_files is None:
            location = self.location
            self._read_files = read_rows(location.with_suffix(".files.json")) if location else {}
        return self._read_files

    def doubts(self, entry: Entry) -> bool:
        """Tell whether an equal stat would not yet say that ``entry`` is as it is now.

        A directory is in no doubt: it is what is in it that counts.
        """
        if entry.is_dir:
            return False
        if entry.is_file:
            row = self._files.get(entry.path)
            return row is None or bool(row[5])
        return max(entry.stat.st_mtime_ns, entry.stat.st_ctime_ns) > self._now - _RACY_NS

    def digest(self, path: str, absolute: str, stat: os.stat_result) -> str:
        """Return the content digest that BuildKit will key ``path`` by. Raises ``OSError``."""
        row = self._files.get(path)
        fresh = row is not None and (
            row[0] == stat.st_size
            and row[1] == stat.st_mtime_ns
            and row[2] == stat.st_ctime_ns
            and row[3] == stat.st_ino
        )
        if row is not None and fresh:
            return self._as_sent(path, stat, row[4]) if row[5] else row[4]
        true = hash_file(absolute)
        effective = self._as_sent(path, stat, true)
        self._remember(path, stat, true, diverged=effective != true)
        return effective

    def folder_mode(self, path: str, mode: int) -> int:
        """Return the mode of a directory that BuildKit will key it by."""
        if self._folders is None:
            location = self.location
            self._folders = read_rows(location.with_suffix(".dirs.json")) if location else {}
        sent = self._folders.get(path, mode)
        if sent != mode:
            self.stale[path] = "mode"
        return sent

    def _remember(self, path: str, stat: os.stat_result, digest: str, *, diverged: bool) -> None:
        if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) < _RACY_NS:
            self._files.pop(path, None)
            return
        self._files[path] = (
            stat.st_size,
            stat.st_mtime_ns,
            stat.st_ctime_ns,
            stat.st_ino,
            digest,
            int(diverged),
        )
        self._changed = True

    def _as_sent(self, path: str, stat: os.stat_result, true: str) -> str:
        if self._sent is None:
            self._sent = read_rows(self.location.with_suffix(".sent.json")) if self.location else {}
        row = self._sent.get(path)
        if row is None or row[3] == true:
            return true
        if row[0] == stat.st_size and row[1] == stat.st_mtime_ns and row[2] == stat.st_mode:
            self.stale[path] = true
            return row[3]
        return true

    def save(self) -> None:
        """Keep the true digests; where that is not possible the next run is only slower."""
        if self._changed and self.location:
            with contextlib.suppress(OSError):
                write_rows(self.location.with_suffix(".files.json"), self._files)
            self._changed = False

    def save_sent(self, sent: Mapping[str, _SentRow], folders: Mapping[str, int]) -> None:
        """Keep what the builder was given. Raises ``OSError``."""
        if not self.location:
            return
        write_rows(self.location.with_suffix(".sent.json"), sent)
        write_rows(self.location.with_suffix(".dirs.json"), folders)
        self._folders = dict(folders)
        self._sent = dict(sent)
        self._read_files = {
            path: (*row[:5], 0) for path, row in self._files.items() if path not in self.stale
        }
        self._changed = True
        self.save()


def read_rows(path: Path) -> dict[str, Any]:
    """Read a memory; a missing or damaged one is empty."""
    try:
        document = json.loads(path.read_bytes())
        if document["schema"] != _SCHEMA:
            return {}
        rows = document["rows"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return rows if isinstance(rows, dict) else {}


def write_rows(path: Path, rows: Mapping[str, object]) -> None:
    """Write a memory, whole or not at all. Raises ``OSError``."""
    import tempfile

    make_inside(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            json.dump({"schema": _SCHEMA, "rows": rows}, stream, separators=(",", ":"))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
