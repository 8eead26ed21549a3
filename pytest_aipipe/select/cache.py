"""What files import, remembered between runs by what stands in them.

A file is read at every run and parsed only when its content is new: the digest of its
bytes is the key, so that no clock and no rename can give a stale answer. The memory is one
file, replaced whole; one that cannot be read is forgotten, one that cannot be written is
done without.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

from pytest_aipipe.select.imports import Imports, read_imports

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMAT = 1
"""To be raised whenever :func:`read_imports` answers differently for the same text."""

MAX_KEPT = 20_000
"""Files remembered at most; the ones used longest ago go first."""


class Memory:
    """Imports by digest. ``parsed`` counts the files that had to be parsed."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._loaded: dict[str, Any] | None = None
        self._used: dict[str, Imports] = {}
        self.parsed = 0

    @property
    def _known(self) -> dict[str, Any]:
        if self._loaded is None:
            self._loaded = _load(self._file)
        return self._loaded

    def imports(self, source: bytes) -> Imports:
        """Return what ``source`` imports, as :func:`read_imports` has it."""
        key = hashlib.sha256(source).hexdigest()
        found = self._used.get(key)
        if found is None:
            found = _unpacked(self._known.get(key))
        if found is None:
            found = read_imports(source)
            self.parsed += 1
        self._used[key] = found
        return found

    def save(self, write: Callable[[Path, str], None]) -> None:
        """Keep what is new, by ``write`` (path, text); nothing happens when nothing is."""
        if self._file is None or not self.parsed:
            return
        old = {key: kept for key, kept in self._known.items() if key not in self._used}
        rows = {**old, **{key: _packed(found) for key, found in self._used.items()}}
        kept = dict(list(rows.items())[-MAX_KEPT:])
        text = json.dumps({"version": _version(), "imports": kept}, separators=(",", ":"))
        with contextlib.suppress(OSError):
            write(self._file, text)


def _version() -> str:
    """Return what the answers depend on besides the text: our format, and Python's syntax."""
    return f"{FORMAT}-{sys.version_info.major}.{sys.version_info.minor}"


def _load(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        loaded = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(loaded, dict) or loaded.get("version") != _version():
        return {}
    imports = loaded.get("imports")
    return imports if isinstance(imports, dict) else {}


def _packed(found: Imports) -> list[Any]:
    return [
        sorted(found.names),
        sorted(found.relative),
        sorted(found.words),
        [found.dynamic, found.spawning, found.runs_python, found.readable],
    ]


def _unpacked(row: Any) -> Imports | None:
    """Return the imports of a row, None where it is not one of ours."""
    try:
        names, relative, words, flags = row
        dynamic, spawning, runs_python, readable = map(bool, flags)
        return Imports(
            names=frozenset(map(str, names)),
            relative=frozenset((int(level), str(name)) for level, name in relative),
            words=frozenset(map(str, words)),
            dynamic=dynamic,
            spawning=spawning,
            runs_python=runs_python,
            readable=readable,
        )
    except (TypeError, ValueError):
        return None
