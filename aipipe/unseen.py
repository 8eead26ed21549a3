"""Changes that no test can see: documents, CI, and settings of tools that tests do not run.

A settings file is compared by what it says, old side against new, and a list of requirements
by what it installs for the tests. Only what is known to be another's is taken away; whatever
is new to those lists can be seen. And code is compared by what it does: comments, layout and
docstrings are nothing that the product runs, though a test may still look at them.
"""

from __future__ import annotations

import ast
import re
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from aipipe.route import UNRUN
from aipipe.sides import after, before
from aipipe_core.change import Kind
from aipipe_core.change.lock import LOCK, read_lock
from aipipe_core.change.packages import is_tool, no_package, read_pins
from aipipe_core.change.said import GROUPS, READ, installs, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from aipipe_core.change import Change, FileChange

    Predicate = Callable[[str], bool]

NEVER_SEEN = frozenset({"manifest.in"})
LIST = re.compile(r"(^|[-_.])(requirements|constraints)([-_.].*)?\.(txt|in)")
"""Names of lists of requirements, wherever they lie."""


def is_unseen(change: Change, tool: Predicate = is_tool, imports: Predicate = no_package) -> bool:
    """Whether no test can see any of the changed files; false for a change of nothing.

    ``tool`` says of a package whether no test runs with it, ``imports`` whether code imports it.
    """
    unseen = partial(_is_unseen, change, tool=tool, imports=imports)
    return bool(change.files) and all(map(unseen, change.files))


def is_idle(change: Change, tool: Predicate = is_tool, imports: Predicate = no_package) -> bool:
    """Whether nothing changed that the product runs: a test may see it, and nobody else."""
    return bool(change.files) and all(
        (file.kinds <= UNRUN and not is_list(file))
        or _is_unseen(change, file, tool=tool, imports=imports)
        or _does_the_same(change, file)
        for file in change.files
    )


def is_list(file: FileChange) -> bool:
    """Whether the file lists requirements in the way of pip, other than for documents or tools."""
    if file.kinds & {Kind.DOCS, Kind.CI}:
        return False
    name = PurePosixPath(file.path).name.lower()
    listed = Kind.DEPENDENCIES in file.kinds and name.endswith((".txt", ".in"))
    return listed or LIST.search(name) is not None


def reader(name: str, tool: Predicate, imports: Predicate) -> Callable[[str], dict[str, str]]:
    """Return what reads the list or lock file ``name`` for what counts of each package."""
    if name == LOCK:
        return partial(read_lock, groups=GROUPS, tool=tool, imports=imports)
    return partial(read_pins, tool=tool, imports=imports)


def _is_unseen(change: Change, file: FileChange, *, tool: Predicate, imports: Predicate) -> bool:
    name = PurePosixPath(file.path).name.lower()
    if file.status in ("M", "A", "D"):
        if name in READ:
            says = partial(said, name, tool=tool)
            asks = partial(installs, name, tool=tool)
            return _same(change, file, lambda text: [says(text), asks(text)])
        if is_list(file) or name == LOCK:
            return _same(change, file, reader(name, tool, imports))
    return file.kinds - {Kind.GENERATED} <= {Kind.DOCS, Kind.CI} or name in NEVER_SEEN


def _does_the_same(change: Change, file: FileChange) -> bool:
    """Whether both sides are Python that differs in comments, layout and docstrings alone."""
    if file.status != "M" or not file.path.endswith((".py", ".pyi")):
        return False
    return _same(change, file, _code)


def _same(change: Change, file: FileChange, read: Callable[[str], Any]) -> bool:
    """Whether ``read`` finds the same on both sides; false where one cannot be read."""
    try:
        return bool(read(before(change, file.path)) == read(after(change, file.path)))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return False


def _code(text: str) -> str:
    """Return the code without what is written for people only.

    A docstring leaves a ``pass`` behind: one that came or went is nothing that runs either.
    """
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
            if not node.body:
                node.body = [ast.Pass()]
    return ast.dump(tree)
