"""Which collected tests a change can affect, each with its reason.

Leaving out a test that would have failed is the one unforgivable error; running one too
many is only slow. So a test runs unless every changed file is shown to be out of its
reach.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe_core.change.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aipipe_core.change.model import Change, FileChange
    from pytest_aipipe.select.graph import Graph

SETTINGS = frozenset({"pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "pytest.toml"})
"""Files that can hold pytest's own settings, whatever else they are."""

LEFTOVERS = re.compile(
    r"(^|/)(\.coverage([.\w-]*)?|coverage\.(xml|json|lcov)|htmlcov/.*|.*\.py[co])$"
)
"""What measuring leaves behind; no test reads it."""

INERT = frozenset({Kind.DOCS, Kind.CI, Kind.DOCKER})
"""Kinds whose files no test reads, unless it names the file."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was decided: ``reasons`` for each test that runs, ``left_out`` for the others."""

    collected: int = 0
    reasons: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known besides the graph.

    ``always`` are files loaded for every test (plugins of the project itself);
    ``loaded`` the project files that this process has imported by the end of collection;
    ``named`` the node ids given on the command line; ``installed`` what stands for the
    project's own metadata (:mod:`pytest_aipipe.select.installed`).
    """

    always: frozenset[str] = frozenset()
    loaded: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    installed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The part of a change that is left to the import graph: files by path.

    The rest is spoken for. ``reasons`` say why a file is left to it.
    """

    python: Mapping[str, FileChange]
    reasons: Mapping[str, str] = field(default_factory=dict)


class Decider:
    """Decides for one change; what holds for a whole test file is worked out once.

    ``python``, ``inert`` and ``data`` are the changed files, sorted.
    """

    def __init__(
        self, change: Change, graph: Graph, facts: Facts, narrowed: Narrowed | None = None
    ) -> None:
        self._graph = graph
        self._facts = facts
        self._files: dict[str | None, str | None] = {}
        self.python: dict[str, FileChange] = {}
        self.inert: list[FileChange] = []
        self.data: list[FileChange] = []
        for file in change.files if narrowed is None else ():
            self._sort(file)
        self._mapped = narrowed is not None
        if narrowed is not None:
            self.python = dict(narrowed.python)
        self._told = narrowed.reasons if narrowed is not None else {}
        self._unseen: frozenset[str] | None = None

    def select(self, items: Sequence[tuple[str, str | None]]) -> Selection:
        """Decide for ``items``: node id, and the file it stands in (None: outside the project)."""
        if self._mapped and not self.python:
            left = {nodeid: "no changed file is left to the import graph" for nodeid, _ in items}
            return Selection(collected=len(items), left_out=left)
        reach = {path: self._reach(path) for path in {path for _, path in items} if path}
        seen = frozenset().union(*reach.values()) if reach else frozenset()
        self._unseen = (frozenset(self.python) & self._facts.loaded) - seen
        reasons, left_out = {}, {}
        for nodeid, path in items:
            reason = self.named(nodeid) or self._reason(path, reach.get(path or ""))
            if reason:
                reasons[nodeid] = reason
            else:
                left_out[nodeid] = "no changed file is within its reach"
        return Selection(collected=len(items), reasons=reasons, left_out=left_out)

    def _sort(self, file: FileChange) -> None:
        for path in {file.path, file.old_path} - {None}:
            if path and path.endswith((".py", ".pyw")) and not file.binary:
                self.python[path] = file
            elif LEFTOVERS.search(file.path):
                continue
            elif file.kinds <= INERT and PurePosixPath(file.path).name not in SETTINGS:
                self.inert.append(file)
            elif path == file.path or file.status == "R":
                self.data.append(file)

    def _reach(self, path: str) -> frozenset[str]:
        return self._graph.reach((path, *conftests(path, self._graph.files), *self._facts.always))

    def named(self, nodeid: str) -> str | None:
        """Return the reason of a test that was asked for by name, None for the others."""
        named = bool(self._facts.named) and any(
            nodeid == name or nodeid.startswith((f"{name}[", f"{name}::"))
            for name in self._facts.named
        )
        return "named on the command line" if named else None

    def _reason(self, path: str | None, reach: frozenset[str] | None) -> str | None:
        if path not in self._files:
            self._files[path] = self._file_reason(path, reach)
        return self._files[path]

    def _file_reason(self, path: str | None, reach: frozenset[str] | None) -> str | None:
        if path is None or reach is None or not path.endswith((".py", ".pyw")):
            return "not a Python file of the project: nothing is known of it"
        if path in self.python:
            return self._told.get(path, "its own file changed")
        if self.data:
            return f"{self.data[0].path} changed, which any test may read"
        hit = sorted(self.python.keys() & reach)
        if hit:
            return f"imports {hit[0]}"
        if self._unseen:
            return f"{min(self._unseen)} is loaded by something that no import shows"
        if self._mapped:  # what the others run, start and read is in their records
            return None
        return self._suspicion(path, reach) if self.python else self._mention(reach)

    def _suspicion(self, path: str, reach: frozenset[str]) -> str | None:
        """Return why a reach that shows no changed file may still hold one."""
        own = {path, *conftests(path, self._graph.files)}
        for file in sorted(reach):
            found = self._graph.imports(file)
            if found.dynamic:
                return f"{file} imports by computed names"
            # A library that starts programs rarely starts Python on the project; a test does.
            if found.runs_python or (found.spawning and (file in own or _is_test(file))):
                return f"{file} starts other programs"
        return self._mention(reach)

    def _mention(self, reach: frozenset[str]) -> str | None:
        """Return why a change of documents or CI files concerns tests that name such a file."""
        for changed in self.inert:
            name = PurePosixPath(changed.path).name
            for file in sorted(reach):
                if any(name in word for word in self._graph.imports(file).words):
                    return f"{file} names {changed.path}"
        return None


def conftests(path: str, files: Iterable[str]) -> tuple[str, ...]:
    """Return the conftest files that pytest loads for a test in ``path``."""
    known = files if isinstance(files, frozenset) else frozenset(files)
    folders = [str(parent) for parent in PurePosixPath(path).parents]
    names = ["conftest.py" if folder == "." else f"{folder}/conftest.py" for folder in folders]
    return tuple(name for name in names if name in known)


def _is_test(path: str) -> bool:
    return any(part in ("test", "tests", "testing") for part in path.split("/")[:-1])
