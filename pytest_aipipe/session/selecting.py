"""Select with the map, and bring the map up to date: what the session knows, in plain values."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.change.blobs import file_at
from aipipe_core.config import load
from aipipe_core.errors import AipipeError
from pytest_aipipe.gaps.names import loaded_names
from pytest_aipipe.select.cache import Memory
from pytest_aipipe.select.decide import Facts
from pytest_aipipe.select.graph import Graph, python_files
from pytest_aipipe.select.plan import Contents, Item, Plan, Planner
from pytest_aipipe.session.folder import NAME, own_folder, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from aipipe_core.store import Store
    from pytest_aipipe.session.host import Host


def plan(host: Host, items: list[pytest.Item]) -> Plan:
    """Decide for ``items``: by the map where there is one, else by the import graph."""
    root = host.run.change.root
    top = Path(os.path.realpath(root))
    gone = {path for file in host.run.change.files for path in (file.old_path, file.path) if path}
    files = {*python_files(top), *(path for path in gone if path.endswith((".py", ".pyw")))}
    memory = Memory(root / NAME / "imports.json")
    contents = _Reader(top)
    graph = Graph(files, contents.now, _inside(top, sys.path), imports_of=memory.imports)
    facts = Facts(
        always=frozenset(_plugin_files(host.config, top)),
        loaded=frozenset(_inside(top, loaded_names())),
        named=frozenset(_named(host.config)),
    )
    base = host.run.change.base
    planner = Planner(
        host.run.change,
        graph,
        facts,
        Contents(contents.now, lambda path: file_at(root, base, path)),
    )
    known = [item_of(top, item) for item in items]
    made = _with_map(host, planner, known)
    if not host.collects_only:
        memory.save(lambda file, text: write_text(own_folder(root) / file.name, text))
    return made


def _with_map(host: Host, planner: Planner, items: list[Item]) -> Plan:
    try:
        store = open_map(host, writing=False)
    except AipipeError as error:
        host.run.note(f"The map was not read: {' '.join(str(error).split())}")
        store = None
    if store is None:
        return planner.plan(items, None)
    from pytest_aipipe.select.testmap import TestMap, environment

    with store:
        try:
            return planner.plan(items, TestMap(store, environment()))
        except AipipeError as error:
            host.run.note(f"The map was not read: {' '.join(str(error).split())}")
    return planner.plan(items, None)


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


def item_of(top: Path, item: pytest.Item) -> Item:
    """Return what selection needs to know of an item."""
    words = item.nodeid.split("::")[1:]
    return Item(
        nodeid=item.nodeid,
        path=_relative(top, item.path),
        names=frozenset(word.partition("[")[0] for word in words),
        fixtures=frozenset(getattr(item, "fixturenames", ())),
        doctest=type(item).__name__ == "DoctestItem",
    )


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


def _relative(top: Path, file: str | os.PathLike[str]) -> str | None:
    real = Path(os.path.realpath(file))
    if real == top:
        return ""
    return real.relative_to(top).as_posix() if top in real.parents else None


def _inside(top: Path, places: Iterable[str]) -> set[str]:
    found = (_relative(top, place or ".") for place in places)
    return {path for path in found if path is not None}


def _plugin_files(config: pytest.Config, top: Path) -> set[str]:
    files = {getattr(plugin, "__file__", None) for plugin in config.pluginmanager.get_plugins()}
    paths = _inside(top, [file for file in files if isinstance(file, str)])
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
