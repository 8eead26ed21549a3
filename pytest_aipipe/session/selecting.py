"""Select with the map, and bring the map up to date: what the session knows, in plain values."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.change.blobs import blobs, file_at
from aipipe_core.change.git import run
from aipipe_core.change.resolve import EMPTY_TREES
from aipipe_core.config import load
from aipipe_core.errors import AipipeError
from pytest_aipipe.select.cache import Memory
from pytest_aipipe.select.decide import SETTINGS, Facts
from pytest_aipipe.select.files import Contents
from pytest_aipipe.select.graph import Graph, python_files
from pytest_aipipe.select.installed import installed
from pytest_aipipe.select.plan import Item, Plan, Planner
from pytest_aipipe.select.tables import Given, said
from pytest_aipipe.select.watch import Project
from pytest_aipipe.session.folder import NAME, own_folder, write_text
from pytest_aipipe.session.skips import is_skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pytest

    from aipipe_core.change.model import Change
    from aipipe_core.store import Store
    from pytest_aipipe.session.host import Host


def plan(host: Host, items: list[pytest.Item]) -> Plan:
    """Decide for ``items``: by the map where there is one, else by the import graph."""
    with _no_collector():
        return _plan(host, items)


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the cyclic collector quiet: we make no cycles, and it visits all that pytest made."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _plan(host: Host, items: list[pytest.Item]) -> Plan:
    root = host.run.change.root
    top = Path(os.path.realpath(root))
    gone = {path for file in host.run.change.files for path in (file.old_path, file.path) if path}
    files = {*python_files(top), *(path for path in gone if path.endswith((".py", ".pyw")))}
    memory = Memory(root / NAME / "imports.json")
    contents, places = _Reader(top), _Places(top)
    graph = Graph(files, contents.now, places.inside(sys.path), imports_of=memory.imports)
    around = installed(Project(str(top)).path_of)
    facts = Facts(
        always=frozenset(_plugin_files(host.config, places)),
        loaded=frozenset(places.inside(_loaded_files())),
        named=frozenset(_named(host.config)),
        installed=frozenset(around.marks().values()),
    )
    old = _Base(host.run.change)
    planner = Planner(host.run.change, graph, facts, Contents(contents.now, old.content, old.has))
    known = [item_of(places, item) for item in items]
    made = _with_map(host, planner, known, around.environment)
    if not host.collects_only:
        memory.save(lambda file, text: write_text(own_folder(root) / file.name, text))
    return made


def _with_map(host: Host, planner: Planner, items: list[Item], env: str) -> Plan:
    try:
        store = open_map(host, writing=False)
    except AipipeError as error:
        host.run.note(f"The map was not read: {' '.join(str(error).split())}")
        store = None
    if store is None:
        return planner.plan(items, None)
    from pytest_aipipe.select.testmap import TestMap

    with store:
        try:
            return planner.plan(items, TestMap(store, env))
        except AipipeError as error:
            host.run.note(f"The map was not read: {' '.join(str(error).split())}")
    return planner.plan(items, None)


def remember_imports(host: Host, sources: Mapping[str, tuple[str, bytes]]) -> None:
    """Read what the recorded files import, so that the next decision need not."""
    root = host.run.change.root
    memory = Memory(root / NAME / "imports.json")
    for _, source in sources.values():
        memory.imports(source)
    memory.save(lambda file, text: write_text(own_folder(root) / file.name, text))


def open_map(host: Host, *, writing: bool) -> Store | None:
    """Open the store; None where there is nothing to read yet."""
    place = load(host.config.rootpath, environ=os.environ, flags={}).store.url
    file = host.config.rootpath / NAME / "store.db"
    if not place and not writing and not file.exists():
        return None
    from aipipe_core.store import open_store

    if not place:
        own_folder(host.config.rootpath)
    return open_store(place or file)


def item_of(places: _Places, item: pytest.Item) -> Item:
    """Return what selection needs to know of an item."""
    nodeid = item.nodeid
    return Item(
        nodeid=nodeid,
        path=places.relative(item.path),
        names=frozenset([word.partition("[")[0] for word in nodeid.split("::")[1:]]),
        fixtures=frozenset(getattr(item, "fixturenames", ())),
        doctest=type(item).__name__ == "DoctestItem",
        skipped=is_skipped(item),
        given=given_to(item),
    )


def given_to(item: pytest.Item) -> dict[str, Given]:
    """Return what the rows of its tables give a test, by argument."""
    callspec = getattr(item, "callspec", None)
    places = getattr(callspec, "indices", None)
    if callspec is None or not isinstance(places, dict):
        return {}
    name = f"-{callspec.id}-"
    told = {argument: said(value) for argument, value in callspec.params.items()}
    return {
        argument: Given(at, text if text is not None and f"-{text}-" in name else None)
        for argument, at in places.items()
        for text in [told.get(argument)]
    }


class _Reader:
    """Reads each file of the project once."""

    def __init__(self, top: Path) -> None:
        self._top = str(top)
        self._known: dict[str, bytes | None] = {}

    def now(self, path: str) -> bytes | None:
        """Return the content of a file, None where there is no such file."""
        if path not in self._known:
            try:
                with open(f"{self._top}/{path}", "rb") as stream:  # noqa: PTH123 - many files
                    self._known[path] = stream.read()
            except OSError:
                self._known[path] = None
        return self._known[path]


class _Base:
    """The changed files as they were: read at once, since each question costs a process."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._known: dict[str, bytes] | None = None

    def content(self, path: str) -> bytes | None:
        """Return the base's content of a changed file, None where there was none."""
        if self._known is None:
            self._known = self._read()
        return self._known.get(path)

    def has(self, path: str) -> bool:
        """Whether the base has a file of that path."""
        listed = run(
            self._change.root, "ls-tree", "--name-only", "-z", self._change.base, "--", path
        )
        return bool(listed.out)

    def _read(self) -> dict[str, bytes]:
        change = self._change
        paths = [
            file.path
            for file in change.files
            if file.status != "A" and (file.is_python or os.path.basename(file.path) in SETTINGS)  # noqa: PTH119
        ]
        if len(paths) == 1 or change.base in EMPTY_TREES:
            found = {path: file_at(change.root, change.base, path) for path in paths}
            return {path: content for path, content in found.items() if content is not None}
        listed = run(change.root, "ls-tree", "-r", "-z", change.base, "--", *paths).out
        names = {}
        for row in filter(None, listed.split(b"\0")):
            told, _, path = row.partition(b"\t")
            names[os.fsdecode(path)] = told.split(b" ")[2].decode("ascii")
        contents = blobs(change.root, names.values())
        return {path: contents[name] for path, name in names.items() if name in contents}


class _Places:
    """Turns files into paths of the project; each folder is resolved once.

    A process has loaded a thousand modules, and resolving a path asks the system for each
    of its folders.
    """

    def __init__(self, top: Path) -> None:
        self._top = str(top)
        self._folders: dict[str, str] = {}
        self._known: dict[str, str | None] = {}

    def relative(self, file: str | os.PathLike[str]) -> str | None:
        """Return the project's path of ``file``, "" for its top, None outside."""
        name = os.fspath(file)
        if name not in self._known:
            self._known[name] = self._found(name)
        return self._known[name]

    def _found(self, file: str) -> str | None:
        folder, name = os.path.split(os.path.abspath(file))  # noqa: PTH100
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        real = f"{self._folders[folder]}{os.sep}{name}"
        if os.path.islink(real):  # noqa: PTH114 - called for every loaded module
            real = os.path.realpath(real)
        if real == self._top:
            return ""
        inside = real.startswith(f"{self._top}{os.sep}")
        return real[len(self._top) + 1 :].replace(os.sep, "/") if inside else None

    def inside(self, files: Iterable[str]) -> set[str]:
        """Return the paths of those of ``files`` that are in the project."""
        found = map(self.relative, (file or "." for file in files))
        return {path for path in found if path is not None}


def _loaded_files() -> list[str]:
    modules = [module for name, module in list(sys.modules.items()) if name != "__main__"]
    files = (getattr(module, "__file__", None) for module in modules)
    return [file for file in files if isinstance(file, str)]


def _plugin_files(config: pytest.Config, places: _Places) -> set[str]:
    files = {getattr(plugin, "__file__", None) for plugin in config.pluginmanager.get_plugins()}
    paths = places.inside([file for file in files if isinstance(file, str)])
    return {path for path in paths if not path.endswith("conftest.py")}


def _named(config: pytest.Config) -> set[str]:
    """Return the node ids on the command line, as collection writes them."""
    named = set()
    for word in config.args:
        path, colons, rest = str(word).partition("::")
        if colons:
            file = Path(config.invocation_params.dir, path)
            if not file.exists():  # an xdist worker's are relative to the rootdir
                file = config.rootpath / path
            named.add(f"{os.path.relpath(file, config.rootpath)}::{rest}".replace(os.sep, "/"))
    return named
