"""Dependencies that changed: which of them a run of the tests can notice.

A linter, a type checker or a builder of documents is none of them, unless a test names it or
the product imports it. Of all others only a run of all tests can tell, for what a package does
at its new version stands in no line of the project.
"""

from __future__ import annotations

import re
from functools import cached_property
from importlib.metadata import packages_distributions
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe.readers import TESTS
from aipipe.sides import after, before
from aipipe.unseen import is_list, reader
from aipipe_core.change import Kind
from aipipe_core.change.git import run
from aipipe_core.change.lock import LOCK
from aipipe_core.change.packages import TOOLS, changed, is_tool, normal
from aipipe_core.change.said import installs

if TYPE_CHECKING:
    from aipipe_core.change import Change, FileChange

SETTINGS = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini")
INTERPRETER = frozenset({".python-version", "runtime.txt"})
PRODUCT = ("*.py", ":(exclude,glob)doc*/**", ":(exclude,glob)**/docs/**", ":(exclude)*noxfile.py")
SHOWN = 3


class Tools:
    """Says of a package whether it is a tool that this project's tests do not run with."""

    def __init__(self, change: Change) -> None:
        self._change = change

    def __call__(self, name: str) -> bool:
        """Whether no test runs with the package ``name`` though nothing but itself says so."""
        return is_tool(name) and normal(name) not in self._named and not self.imports(name)

    def imports(self, name: str) -> bool:
        """Whether the project's code imports a module of the package ``name``."""
        plain = normal(name)
        spoken = {plain, plain.removeprefix("python-"), plain.removeprefix("py")}
        return bool(spoken & self._imported)

    @cached_property
    def _named(self) -> frozenset[str]:
        """The tools that a test names."""
        any_tool = "|".join(map(_as_pattern, TOOLS))
        return frozenset(map(normal, self._grep("-w", f"({any_tool})", TESTS)))

    @cached_property
    def _imported(self) -> frozenset[str]:
        """The modules that code imports, and the packages that are known to bring them."""
        pattern = "^[[:space:]]*(import|from)[[:space:]]+[[:alnum:]_]+"
        modules = {line.split()[-1] for line in self._grep("-I", pattern, PRODUCT)}
        known = packages_distributions()
        bringing = {one for module in modules for one in known.get(module, ())}
        return frozenset(map(normal, modules | bringing))

    def _grep(self, how: str, pattern: str, where: tuple[str, ...]) -> list[str]:
        argv = ("grep", "--untracked", "-h", "-o", "-i", how, "-E", "-e", pattern, "--")
        environ = {"GIT_LITERAL_PATHSPECS": "0"}
        found = run(self._change.root, *argv, *where, environ=environ, check=False)
        return [line for line in found.text.splitlines() if line.strip()]


def _as_pattern(name: str) -> str:
    """Return a pattern of names as an extended regular expression."""
    return re.sub(r"[-_]", "[-_]", name).replace("*", "[[:alnum:]_-]+")


def noticed(change: Change, tool: Tools) -> str:
    """Return what a test run can notice of what is installed, in words; empty for nothing."""
    for file in change.files:
        if why := _noticed(change, file, tool):
            return why
    return ""


def _noticed(change: Change, file: FileChange, tool: Tools) -> str:
    name = PurePosixPath(file.path).name.lower()
    if name in SETTINGS:
        return _by_settings(change, file, tool)
    if not is_list(file) and name != LOCK:
        says = Kind.DEPENDENCIES in file.kinds or name in INTERPRETER
        return f"{file.path} changed, which says what is installed" if says else ""
    if file.status not in ("M", "A", "D"):
        return f"{file.path} changed, which says what is installed"
    try:
        read = reader(name, tool, tool.imports)
        found = [read(side(change, file.path)) for side in (before, after)]
    except (OSError, ValueError):
        return f"{file.path} changed, which cannot be read package by package"
    return _in_words(changed(*found), file.path)


def _by_settings(change: Change, file: FileChange, tool: Tools) -> str:
    name = PurePosixPath(file.path).name.lower()
    if file.status not in ("M", "A", "D"):
        return f"{file.path} changed, which says what is installed"
    try:
        old, new = (
            installs(name, text, tool=tool) if text else None
            for text in (before(change, file.path), after(change, file.path))
        )
    except (OSError, ValueError):
        return f"{file.path} changed, and what it installs cannot be read"
    return f"what {file.path} installs changed" if old != new else ""


def _in_words(packages: list[str], path: str) -> str:
    if not packages:
        return ""
    more = f" and {len(packages) - SHOWN} more" if len(packages) > SHOWN else ""
    return f"{', '.join(packages[:SHOWN])}{more} changed in {path}"
