"""The import graph of a project's files: which files a file can load.

Names are resolved to every project file that they could mean: a dotted name fits a file
when the folder above its first part is on ``sys.path`` or is no package itself. That is
more than Python would load, never less.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pytest_aipipe.select.imports import Imports, read_imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})
BUILT = re.compile(r"lib|(lib|temp|bdist|scripts)[.-].*|.*\.(whl|tar\.gz)")
"""What setuptools and its kin put into ``build`` and ``dist``: copies of the project."""


def python_files(root: Path) -> Iterator[str]:
    """Yield the Python files under ``root``, relative.

    Hidden folders, environments and build output are not walked into.
    """
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not _foreign(folder, name))
        base = os.path.relpath(folder, root)
        for name in sorted(files):
            if name.endswith((".py", ".pyw")):
                yield name if base == "." else f"{base}/{name}".replace(os.sep, "/")


def _foreign(folder: str, name: str) -> bool:
    """Whether the folder ``name`` holds nothing that was written for the project."""
    if name.startswith(".") or name in SKIPPED:
        return True
    place = os.path.join(folder, name)  # noqa: PTH118 - called for every folder
    if os.path.exists(os.path.join(place, "pyvenv.cfg")):  # noqa: PTH110, PTH118
        return True
    # A package or a folder of scripts may be called so too: only what a build left counts.
    if name not in ("build", "dist"):
        return False
    try:
        inside = os.listdir(place)  # noqa: PTH208
    except OSError:
        return True
    return "__init__.py" not in inside and any(map(BUILT.fullmatch, inside))


class Graph:
    """Resolves imports among ``files`` (relative paths), reading each file once at most.

    ``files`` may hold files that are gone, so that who imports them is still found.
    ``roots`` are the folders of ``sys.path`` inside the project, relative ("" for its top).
    """

    def __init__(
        self,
        files: Iterable[str],
        read: Callable[[str], bytes | None],
        roots: Iterable[str] = (),
        imports_of: Callable[[bytes], Imports] = read_imports,
    ) -> None:
        self.files = frozenset(files)
        self._read = read
        self._imports_of = imports_of
        self._roots = frozenset(roots)
        self._packages = {
            path.rpartition("/")[0] for path in self.files if path.endswith("__init__.py")
        }
        self._modules = self._by_name()
        self._imports: dict[str, Imports] = {}
        self._targets: dict[str, frozenset[str]] = {}

    def imports(self, path: str) -> Imports:
        """Return what the file ``path`` imports."""
        if path not in self._imports:
            source = self._read(path)
            self._imports[path] = Imports() if source is None else self._imports_of(source)
        return self._imports[path]

    def reach(self, start: Iterable[str]) -> frozenset[str]:
        """Return every project file that loading ``start`` can load, ``start`` included."""
        seen: set[str] = set()
        waiting = [path for path in start if path in self.files]
        while waiting:
            path = waiting.pop()
            if path not in seen:
                seen.add(path)
                waiting.extend(self.targets(path) - seen)
        return frozenset(seen)

    def targets(self, path: str) -> frozenset[str]:
        """Return the project files that ``path`` itself imports, their packages included."""
        if path not in self._targets:
            found = self.imports(path)
            folder = path.rpartition("/")[0]
            hit: set[str] = set(self._above(folder))
            for name in found.names:
                hit |= self._resolve(name)
            for level, name in found.relative:
                hit |= self._relative(folder, level, name)
            if found.dynamic:
                hit |= self._siblings(folder)
            self._targets[path] = frozenset(hit)
        return self._targets[path]

    def meant(self, path: str, level: int, name: str) -> frozenset[str]:
        """Return the files that are the module ``name``, ``level`` dots up from ``path``.

        The packages above it are not among them: a name taken from it is not theirs.
        """
        if not level:
            return frozenset(self._modules.get(name, ()))
        parts = path.split("/")[:-level]
        stem = "/".join([*parts, *name.split(".")] if name else parts)
        return frozenset({f"{stem}.py", f"{stem}/__init__.py".removeprefix("/")} & self.files)

    def _by_name(self) -> dict[str, set[str]]:
        """Index every file under each dotted name by which it could be imported."""
        index: dict[str, set[str]] = {}
        for path in self.files:
            parts = path.removesuffix(".pyw").removesuffix(".py").split("/")
            if parts[-1] == "__init__":
                parts.pop()
            for at in range(len(parts)):
                base = "/".join(parts[:at])
                if base in self._roots or base not in self._packages:
                    index.setdefault(".".join(parts[at:]), set()).add(path)
        return index

    def _resolve(self, name: str) -> set[str]:
        """Return the files that ``import name`` loads: the module, and each package above."""
        hit: set[str] = set()
        while name:
            hit |= self._modules.get(name, set())
            name = name.rpartition(".")[0]
        return hit

    def _relative(self, folder: str, level: int, name: str) -> set[str]:
        parts = folder.split("/") if folder else []
        base = parts[: len(parts) - (level - 1)] if level > 1 else parts
        hit = set(self._above("/".join(base)))
        parts = [*base, *name.split(".")] if name else base
        while len(parts) > len(base):
            stem = "/".join(parts)
            hit |= {f"{stem}.py", f"{stem}/__init__.py"} & self.files
            parts = parts[:-1]
        return hit

    def _above(self, folder: str) -> Iterator[str]:
        """Yield the ``__init__`` files that run before a module in ``folder``."""
        while folder in self._packages:
            yield f"{folder}/__init__.py".removeprefix("/")
            if not folder:
                return
            folder = folder.rpartition("/")[0]

    def _siblings(self, folder: str) -> set[str]:
        """Return the files of the package around ``folder``: what a lazy ``__init__`` may load."""
        if folder not in self._packages:
            return set()
        top = folder
        while top and top.rpartition("/")[0] in self._packages:
            top = top.rpartition("/")[0]
        return {path for path in self.files if not top or path.startswith(f"{top}/")}


def stem(path: str) -> str:
    """Return the last name of the module that a file is."""
    return path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
