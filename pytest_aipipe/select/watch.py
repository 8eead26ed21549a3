"""Who runs what, while a session runs: tests, fixtures that are shared, modules at import.

A fixture of a wider scope runs in the first test that asks for it, and a module in the first
that imports it; so each of them is recorded by itself and counted for all who use it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_aipipe.select.audit import Ear
from pytest_aipipe.select.children import Children
from pytest_aipipe.select.installed import Installed
from pytest_aipipe.select.metadata import WORDS
from pytest_aipipe.select.sink import OUTSIDE, Ran, Sink, merged
from pytest_aipipe.select.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pytest

    from pytest_aipipe.measure.recorder import Recorder

MODULE = "<module>"
FIXTURE = "<fixture>"
EARLY = "<early>"
"""The modules that were loaded before anybody watched."""

NOTHING, UNKNOWN, FOLLOWED = 0, 1, 2
"""Whether a test started other programs: none, some of which nothing is known, only such as
noted themselves what they ran."""

FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "__pycache__"})


class Project:
    """The project's files. ``top`` is the repository's top, as ``os.path.realpath`` has it."""

    def __init__(self, top: str) -> None:
        self.top = top
        self._top = f"{top}{os.sep}"

    def path_of(self, file: str) -> str | None:
        """Return the path of ``file`` in the project; None where it is none of its files."""
        if not file.startswith(self._top):
            return "" if f"{file}{os.sep}" == self._top else None
        path = file[len(self._top) :].replace(os.sep, "/")
        folders = path.split("/")[:-1]
        if any(folder in FOREIGN or folder.startswith(".") for folder in folders):
            return None
        return path

    def mentions(self, path: str, words: Iterable[str]) -> bool:
        """Whether one of ``words`` stands in a file; True where it cannot be read."""
        try:
            text = Path(self._top, path).read_bytes()
        except OSError:
            return True
        return any(word.encode() in text for word in words)


class Watch:
    """Records for the map what runs while ``recorder`` traces."""

    def __init__(
        self, project: Project, recorder: Recorder, installed: Installed | None = None
    ) -> None:
        self._project, self._recorder = project, recorder
        self.installed = installed or Installed()
        self._marks = self.installed.marks()
        self.sink = Sink(project.path_of, recorder.wants)
        self.children = Children(project.top, self._test_or_fixture)
        self.ear = Ear(lambda: self.sink.who, self._place, self.children.is_asked)
        self.workers = Workers(lambda: self.ear.starts.add(self.sink.who))
        self.uses: dict[str, set[str]] = {}
        self.seen: set[str] = set()
        self.early: set[str] = set()
        self.blind: set[str] = set()
        self.followed: set[str] = set()
        self._homes: dict[str, str] = {}
        self.on = False
        self._undo: list[Callable[[], None]] = []
        self._thread = threading.get_ident()

    def _place(self, file: str) -> str | None:
        """Return what stands for a file that is opened: the project's path, or a mark."""
        return self._marks.get(file) or self._project.path_of(file)

    def start(self) -> None:
        """Begin; the recorder has been started before."""
        self.on = self.sink.divert(self._recorder.coverage)
        self.early = self._loaded()
        if self.on:
            self.ear.listen()
            self.children.listen()
            self.workers.listen()
            self._watch_imports()

    def stop(self) -> None:
        """End; what was recorded stays."""
        self.ear.stop()
        self.children.stop()
        self.workers.stop()
        for undo in self._undo:
            undo()
        self._undo.clear()

    @contextlib.contextmanager
    def inside_of(self, who: str) -> Iterator[None]:
        """Let ``who`` run for the length of the block, in this thread."""
        if not self.on or threading.get_ident() != self._thread:
            yield
            return
        self._begin(who)
        try:
            yield
        finally:
            self._end()

    def _begin(self, who: str) -> None:
        self._recorder.flush()
        self.sink.over(who)

    def _end(self) -> None:
        self._recorder.flush()
        self.sink.back()

    @contextlib.contextmanager
    def collecting(self, file: Path) -> Iterator[None]:
        """Count what collecting a test file runs (descriptors that are looked at) for the file."""
        path = self._project.path_of(os.path.realpath(file)) if self.on else None
        if path is None or not path.endswith(".py"):
            yield
            return
        with self.inside_of(f"{MODULE}{path}"):
            yield

    # Modules

    def _loaded(self) -> set[str]:
        """Return the project's modules that are loaded already."""
        files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        near = (
            file
            for file in files
            if isinstance(file, str)
            and not file.startswith(f"{sys.base_prefix}{os.sep}lib")
            and "site-packages" not in file
        )
        return {path for path in map(self._project.path_of, map(os.path.realpath, near)) if path}

    def _watch_imports(self) -> None:
        self._wrap(SourceFileLoader)
        try:
            from _pytest.assertion.rewrite import AssertionRewritingHook
        except ImportError:
            return
        self._wrap(AssertionRewritingHook)

    def _wrap(self, loader: Any) -> None:
        own = loader.__dict__.get("exec_module")
        original = loader.exec_module

        def exec_module(mine: Any, module: Any) -> None:
            spec = getattr(module, "__spec__", None)
            file = getattr(spec, "origin", None)
            path = self._project.path_of(os.path.realpath(file)) if isinstance(file, str) else None
            if path is None:
                original(mine, module)
                self.workers.listen(module)
                return
            with self.inside_of(f"{MODULE}{path}"):
                original(mine, module)

        loader.exec_module = exec_module
        if own is None:
            self._undo.append(lambda: delattr(loader, "exec_module"))
        else:
            self._undo.append(lambda: setattr(loader, "exec_module", own))

    # Fixtures

    @contextlib.contextmanager
    def setting_up(self, fixture: pytest.FixtureDef[Any]) -> Iterator[None]:
        """Count what setting up a shared fixture runs for the fixture, its tear-down as well."""
        if not self.on or fixture.scope == "function":
            yield
            return
        who = _name(fixture)
        # Finalizers run from the last to the first: ours enclose those that are added inside.
        fixture.addfinalizer(lambda: self._torn_down(who))
        with self.inside_of(who):
            yield
        fixture.addfinalizer(lambda: self._begin(who))

    def _torn_down(self, who: str) -> None:
        """End the tear-down, if it began: a fixture that failed to set up has none."""
        if self.sink.who == who:
            self._end()

    def look(self, nodeid: str) -> None:
        """Mark a test after which nobody traces any more: of what it ran we know a part.

        And one during which other processes were there, that may have worked for it.
        """
        if self.workers.are_there():
            self.ear.starts.add(nodeid)
        if self.on and not self._recorder.is_tracing():
            self.blind.add(nodeid)
            self._recorder.trace_again()

    def note_fixtures(self, item: pytest.Item) -> None:
        """Remember that ``item`` ran in this process, and which shared fixtures it uses."""
        self.seen.add(item.nodeid)
        path = self._project.path_of(os.path.realpath(item.path))
        self._homes[item.nodeid] = f"{MODULE}{path}"
        self.look(item.nodeid)
        known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
        asked = getattr(getattr(item, "_request", None), "_fixture_defs", {})
        every = [one for found in known.values() for one in found] + list(asked.values())
        shared = {_name(one) for one in every if getattr(one, "scope", "") != "function"}
        if shared:
            self.uses[item.nodeid] = shared

    # The result

    def finish(self) -> None:
        """Take in what was traced last, and what children noted of themselves."""
        self._recorder.flush()
        self.sink.keep()
        for who, noted, reads in self.children.noted():
            if noted is None:
                self.ear.starts.add(who)
                continue
            self.followed.add(who)
            for file, (lines, entries) in noted.items():
                self.sink.add(who, file, lines, entries)
            for file in reads or ():
                place = self._place(file.rstrip(os.sep))
                if place is not None:
                    told = f"{place}/" if file.endswith(os.sep) else place
                    self.ear.reads.setdefault(who, set()).add(told)
        self.children.close()

    def of(self, nodeid: str) -> Ran:
        """Return what a test ran, its shared fixtures included."""
        found = self.sink.ran.get(nodeid, {})
        for who in self.uses.get(nodeid, ()):
            found = merged(found, self.sink.ran.get(who, {}))
        return found

    def reads(self, nodeid: str) -> set[str]:
        """Return the files and folders that a test looked into, and marks of metadata."""
        every = (nodeid, *self.uses.get(nodeid, ()))
        unheard = self.installed.read_unheard()
        return set().union(unheard, *(self.ear.reads.get(who, set()) for who in every))

    def asking_early(self) -> dict[str, list[str]]:
        """Return what modules that nobody listened to may have read of the own metadata."""
        marks = sorted(set(self._marks.values()))
        found = {}
        for path in self.early if marks else ():
            if self._project.mentions(path, WORDS):
                found[f"{MODULE}{path}"] = sorted({*marks, *self.reads(f"{MODULE}{path}")})
        return found

    def starts(self, nodeid: str) -> int:
        """Return whether a test, a fixture or the file of it started another program.

        One of which nothing is known (`UNKNOWN`), or only such as noted what they ran.
        """
        every = {nodeid, *self.uses.get(nodeid, ())}
        if not self.ear.starts.isdisjoint({*every, self._homes.get(nodeid, "")}):
            return UNKNOWN
        return NOTHING if self.followed.isdisjoint(every) else FOLLOWED

    def _test_or_fixture(self) -> str | None:
        """Return who runs, None where it is neither a test nor a fixture."""
        who = self.sink.who
        here = threading.get_ident() == self._thread
        return who if here and who != OUTSIDE and not who.startswith(MODULE) else None

    def modules(self) -> dict[str, Ran]:
        """Return what each module of the project ran at import, and what nobody's was."""
        return {
            who: ran
            for who, ran in self.sink.ran.items()
            if who == OUTSIDE or who.startswith(MODULE)
        }


def _name(fixture: Any) -> str:
    return f"{FIXTURE}{fixture.argname}@{id(fixture)}"
