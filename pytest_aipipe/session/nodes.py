"""Collector nodes for generated files, placed where the tests that they belong to stand.

pytest shows a fixture to a test when the folder of its conftest is among the test's
parents. A generated file that stays under ``.aipipe/generated/`` is therefore given the
folder of the project's tests as its parent, and is imported under the name, package and
``__file__`` that it would have there.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class GeneratedModule(pytest.Module):
    """A test file that believes to stand at ``intended``."""

    intended: Path

    def _getobj(self) -> Any:
        name = dotted_name(self.intended)
        hook = self.config.pluginmanager.rewrite_hook
        # The hook of --assert=plain is a dummy; the ordinary loader serves then.
        loader: Any = hook if hasattr(hook, "exec_module") else None
        spec = importlib.util.spec_from_file_location(name, self.path, loader=loader)
        if spec is None or spec.loader is None:  # pragma: no cover - a .py file always has one
            raise self.CollectError(f"cannot import {self.path}")
        module = importlib.util.module_from_spec(spec)
        module.__file__ = str(self.intended)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            sys.modules.pop(name, None)
            if isinstance(error, Exception):
                raise self.CollectError(f"{type(error).__name__}: {error}") from error
            raise
        return module


def dotted_name(file: Path) -> str:
    """Return the name of ``file`` from its outermost package on."""
    parts, folder = [file.stem], file.parent
    while (folder / "__init__.py").exists() and folder != folder.parent:
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


_FOLDERS: pytest.StashKey[dict[Path, pytest.Collector]] = pytest.StashKey()


def remember(collector: pytest.Collector) -> None:
    """Keep a folder that the session collects, for :func:`folder_node`.

    Since pytest 9.2 a conftest's fixtures are not seen below another node of its folder, and
    where none of the folder's tests was selected no item leads to the one.
    """
    if isinstance(collector, pytest.Directory):
        collector.session.stash.setdefault(_FOLDERS, {}).setdefault(collector.path, collector)


def folder_node(session: pytest.Session, folder: Path) -> pytest.Collector:
    """Return the collector of ``folder``, its conftests loaded: the session's own, or a new one."""
    folders: dict[Path, pytest.Collector] = session.stash.get(_FOLDERS, {})
    known = folders | {
        node.path: node
        for item in getattr(session, "items", ())
        for node in item.listchain()
        if isinstance(node, pytest.Directory)
    }
    node: pytest.Collector = session
    for place in _way_down(session.config.rootpath, folder):
        child = known.get(place) or node.ihook.pytest_collect_directory(path=place, parent=node)
        if child is None:
            continue
        if place not in known:
            child.ihook.pytest_make_collect_report(collector=child)  # loads its conftests
        node = child
    return node


def _way_down(top: Path, folder: Path) -> list[Path]:
    """Return the folders from ``top`` to ``folder``; ``folder`` alone where it is elsewhere."""
    if folder != top and top not in folder.parents:
        return [folder]
    between = [place for place in folder.parents if place == top or top in place.parents]
    return [*reversed(between), folder]


def module_node(session: pytest.Session, file: Path, intended: Path) -> pytest.Module:
    """Return the collector of ``file``, as a child of ``intended``'s folder."""
    importlib.invalidate_caches()
    parent = folder_node(session, intended.parent)
    if file == intended:
        made: pytest.Module = parent.ihook.pytest_pycollect_makemodule(
            module_path=file, parent=parent
        )
        return made
    module: GeneratedModule = GeneratedModule.from_parent(parent, path=file)
    module.intended = intended
    return module


def items_of(collector: pytest.Collector) -> Iterator[pytest.Item]:
    """Yield the items below ``collector``.

    Raises :class:`pytest.Collector.CollectError` where it cannot be collected: unlike
    ``Session.genitems`` this reports nothing, so that a bad file does not fail the session.
    """
    collector.ihook.pytest_collectstart(collector=collector)
    report = collector.ihook.pytest_make_collect_report(collector=collector)
    report.__dict__.pop("call", None)
    if not report.passed:
        raise pytest.Collector.CollectError(str(report.longrepr).strip().splitlines()[-1])
    for node in report.result:
        if isinstance(node, pytest.Item):
            node.ihook.pytest_itemcollected(item=node)
            yield node
        else:
            yield from items_of(node)


def relative_to_root(file: Path, root: Path) -> str:
    """Return ``file`` relative to ``root`` with forward slashes."""
    return os.path.relpath(file, root).replace(os.sep, "/")
