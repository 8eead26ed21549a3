"""Who among the tests reads documents or settings: without one, a change of them needs none.

Two signs count: the settings of the tests speak of doctests or of a plugin that runs the code
in documents, or a test names a changed file. Both are looked for in text, so that a sign that
means nothing costs a short test run and one that is there is never overlooked.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe_core.change import Kind
from aipipe_core.change.git import run

if TYPE_CHECKING:
    from aipipe_core.change import Change

RUNNERS = re.compile(
    r"doctest|sybil|codeblocks|mktestdocs|markdown[-_]docs|pytest[-_](markdown|examples|phmdoctest)"
)
SETTINGS = ("pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pytest.toml")
TESTS = ("*test*.py", "*conftest.py", "test/*.py", "tests/*.py")
METADATA = ("importlib.metadata", "importlib_metadata", "pkg_resources")
MOST = 50
"""Changed files that are looked for; a sweep of more is taken as read."""


def reader_of(change: Change) -> str:
    """Return what reads the files that changed, in words; empty where nothing does."""
    if Kind.DOCS in change.kinds and (runner := _runner_of_documents(change)):
        return runner
    paths = {path for file in change.files for path in (file.path, file.old_path) if path}
    if len(paths) > MOST:
        return f"more than {MOST} files changed"
    names = sorted({PurePosixPath(path).name for path in paths})
    found_in = _grep(change, names, TESTS)
    if found_in:
        return f"{found_in[0]} names a file that changed"
    described = _grep(change, METADATA, TESTS) if set(names) & set(SETTINGS) else []
    return f"{described[0]} reads the package's metadata" if described else ""


def _runner_of_documents(change: Change) -> str:
    """Return what runs the code in documents, in words."""
    for path in _named(change, SETTINGS):
        text = (change.root / path).read_text(encoding="utf-8", errors="replace")
        if found := RUNNERS.search(text):
            return f"{path} speaks of {found[0]}, so that documents may hold tests"
    conftests = _grep(change, ("doctest", "sybil"), ("*conftest.py",))
    return f"{conftests[0]} may run what documents hold" if conftests else ""


def _named(change: Change, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if (change.root / name).is_file()]


def _grep(change: Change, texts: tuple[str, ...] | list[str], where: tuple[str, ...]) -> list[str]:
    """Return the files of the working tree that hold one of ``texts``, tracked or not."""
    wanted = [word for text in texts for word in ("-e", text)]
    if not wanted:
        return []
    argv = ("grep", "--untracked", "-z", "-l", "-i", "-F", *wanted, "--", *where)
    found = run(change.root, *argv, environ={"GIT_LITERAL_PATHSPECS": "0"}, check=False)
    return [name for name in found.text.split("\0") if name]
