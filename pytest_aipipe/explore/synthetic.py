"""A test module that exists only in memory, collected by pytest as if it had been written.

Its path is where the file will stand, so that the conftest fixtures visible there, the
project's naming settings and its plugins treat it just as they will treat the file.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import collect_one_node

if TYPE_CHECKING:
    from collections.abc import Iterator


class SyntheticModule(pytest.Module):
    """A collected module whose object is given and not imported."""

    given: types.ModuleType

    def _getobj(self) -> types.ModuleType:
        return self.given


def module_name(path: Path, config: pytest.Config) -> str:
    """Return the name under which the project's import mode would import ``path``."""
    mode = config.getoption("importmode")
    if mode == "importlib":
        try:
            relative = path.with_suffix("").relative_to(config.rootpath)
        except ValueError:
            return path.stem
        return ".".join(relative.parts)
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


def build_module(
    path: Path, code: types.CodeType, config: pytest.Config, names: dict[str, Any]
) -> types.ModuleType:
    """Execute ``code`` as the module that will stand at ``path``; ``names`` are put in first."""
    name = module_name(path, config)
    module = types.ModuleType(name)
    module.__file__ = str(path)
    module.__package__ = name.rpartition(".")[0]
    module.__dict__.update(names)
    sys.modules[name] = module
    if config.getoption("importmode") == "prepend" and str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    exec(code, module.__dict__)  # noqa: S102 - running candidates is what this process is for
    return module


_MADE: pytest.StashKey[dict[Path, pytest.Collector]] = pytest.StashKey()


def remember(node: pytest.Collector) -> None:
    """Keep a directory that pytest collects, for :func:`parent_for`: it may end with no item.

    The fixtures of a conftest belong to the one node of its folder that was collected when it
    was loaded, and are not seen below another node of that folder (pytest 9.2; before, the
    folder's name was enough).
    """
    if isinstance(node, pytest.Directory):
        node.session.stash.setdefault(_MADE, {}).setdefault(node.path, node)


def directories(session: pytest.Session) -> dict[Path, pytest.Collector]:
    """Return the directory nodes that the session's items have, by path."""
    found: dict[Path, pytest.Collector] = {}
    for item in session.items:
        for node in item.listchain():
            if isinstance(node, pytest.Directory):
                found.setdefault(node.path, node)
    return found


def parent_for(session: pytest.Session, folder: Path) -> pytest.Collector:
    """Return the directory node for ``folder``, making those that are missing on the way.

    Folders that exist are collected by pytest itself, which loads their conftest; one that
    does not exist yet becomes an empty directory node. What was made once is given again: the
    forks of a process find what it has made before them.
    """
    made = session.stash.setdefault(_MADE, {})
    if folder not in made:
        made[folder] = _parent(session, folder, made)
    return made[folder]


def _parent(
    session: pytest.Session, folder: Path, made: dict[Path, pytest.Collector]
) -> pytest.Collector:
    known = directories(session)
    if folder in known:
        return known[folder]
    top = session.config.rootpath
    confcut = getattr(session.config.pluginmanager, "_confcutdir", None)
    if confcut is not None and folder.is_relative_to(confcut):
        top = Path(confcut)
    if not folder.is_relative_to(top):
        return session
    node: pytest.Collector = session
    chain = [folder, *folder.parents]
    for path in reversed(chain[: chain.index(top) + 1]):
        if path not in made:
            made[path] = known.get(path) or _directory(session, node, path)
        node = made[path]
    return node


def _directory(session: pytest.Session, parent: pytest.Collector, path: Path) -> pytest.Collector:
    if not path.is_dir():
        made: pytest.Collector = pytest.Dir.from_parent(parent, path=path)
        return made
    hook = session.gethookproxy(path.parent)
    node = hook.pytest_collect_directory(path=path, parent=parent)
    if node is None:
        node = pytest.Dir.from_parent(parent, path=path)
    collect_one_node(node)
    collected: pytest.Collector = node
    return collected


def items_of(node: pytest.Collector) -> Iterator[pytest.Item]:
    """Yield the items of a synthetic module; raise the error that its collection met."""
    report = collect_one_node(node)
    if not report.passed:
        raise CollectionError(str(report.longrepr))
    for one in report.result:
        if isinstance(one, pytest.Item):
            yield one
        else:
            yield from items_of(one)


class CollectionError(Exception):
    """pytest could not collect what the candidate holds."""


def module_node(parent: pytest.Collector, path: Path, module: types.ModuleType) -> SyntheticModule:
    """Return the collector of ``module`` as the file ``path`` under ``parent``."""
    node: SyntheticModule = SyntheticModule.from_parent(parent, path=path)
    node.given = module
    return node
