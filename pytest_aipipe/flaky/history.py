"""Verdicts of earlier runs, each with a digest of all that could have caused it.

A verdict that changed while the digest did not is what makes a test a suspect. The digest
is over the content of every file that the test's module can load (the import graph errs on
the side of more), the conftests above it, the settings, the interpreter and what is installed.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_aipipe.select.cache import Memory
from pytest_aipipe.select.graph import Graph, python_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aipipe_core.store import Store

SPACE = "flaky-history"
KEPT = 20
SETTINGS = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "setup.py", "conftest.py")


class Causes:
    """Digests of what the tests of a file depend on."""

    def __init__(self, top: Path) -> None:
        self.top = top
        memory = Memory(top / ".aipipe" / "imports.json")  # the selection keeps it up to date
        self._graph = Graph(set(python_files(top)), self._bytes, imports_of=memory.imports)
        self._known: dict[str, str] = {}

    def _bytes(self, path: str) -> bytes | None:
        try:
            return (self.top / path).read_bytes()
        except OSError:
            return None

    def digest(self, path: str) -> str:
        """Return the digest for the tests in ``path`` (relative to the project's top)."""
        if path not in self._known:
            self._known[path] = self._digest(path)
        return self._known[path]

    def _digest(self, path: str) -> str:
        folders = [str(folder) for folder in Path(path).parents]
        conftests = [os.path.normpath(f"{folder}/conftest.py") for folder in folders]
        files = self._graph.reach([path, *conftests]) | {*SETTINGS}
        total = hashlib.sha256(sys.version.encode())
        total.update("\0".join(_installed()).encode())
        for name in sorted(files):
            content = self._bytes(name)
            if content is not None:
                total.update(f"{name}\0{len(content)}\0".encode())
                total.update(content)
        return total.hexdigest()[:32]


def _installed() -> list[str]:
    """Return the installed distributions, whose folders are named by their versions."""
    found: set[str] = set()
    for entry in sys.path:
        with suppress(OSError):
            names = [place.name for place in Path(entry).iterdir()]
            found.update(one for one in names if one.endswith((".dist-info", ".egg-info")))
    return sorted(found)


class History:
    """What the store remembers of verdicts."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def note(self, verdicts: Mapping[str, str], digests: Mapping[str, str]) -> None:
        """Remember the outcome of each test with the digest of its causes."""
        rows = {}
        for nodeid, outcome in verdicts.items():
            old = self.store.get(SPACE, nodeid, [])
            entry = [digests[nodeid], outcome, int(time.time())]
            rows[nodeid] = [*old, entry][-KEPT:]
        self.store.put_many(SPACE, rows)

    def changed(self, verdicts: Mapping[str, str], digests: Mapping[str, str]) -> dict[str, str]:
        """Return the tests whose verdict differs from an earlier one of the same causes.

        The value says it in words.
        """
        found = {}
        for nodeid, outcome in verdicts.items():
            rows = self.store.get(SPACE, nodeid, [])
            same = [row for row in rows if row[0] == digests[nodeid]]
            others = [row for row in same if row[1] != outcome]
            if others:
                found[nodeid] = (
                    f"{others[-1][1]} in {len(others)} of {len(same)} earlier runs of the same code"
                )
        return found


def outcomes(reports: Iterable[Any]) -> dict[str, str]:
    """Return ``passed`` or ``failed`` by node id; what was skipped has no verdict."""
    found: dict[str, str] = {}
    for report in reports:
        if report.failed:
            found[report.nodeid] = "failed"
        elif report.when == "call" and report.passed:
            found.setdefault(report.nodeid, "passed")
    return found
