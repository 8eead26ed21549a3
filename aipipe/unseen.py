"""Changes that no test can see: documents, CI, and settings of tools that tests do not run.

A settings file is compared by what it says, old side against new: what is left once the parts
are taken away that only linters, type checkers, packagers, tox or an index page read. Only
parts that are known to be such are taken away; whatever is new to this list can be seen.
"""

from __future__ import annotations

import configparser
import fnmatch
import tomllib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from aipipe_core.change import Kind
from aipipe_core.change.git import run
from aipipe_core.change.spec import STAGED, WORKTREE

if TYPE_CHECKING:
    from collections.abc import Callable

    from aipipe_core.change import Change, FileChange


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TOOLS = _words(
    "autopep8 bandit basedpyright black bumpversion bumpver check-manifest check-sdist "
    "check-wheel-contents cibuildwheel codespell commitizen deptry docformatter flake8 "
    "flynt interrogate isort mdformat mypy pycln pycodestyle pydocstyle pydoclint "
    "pylint pyproject-fmt pyrefly pyright pyupgrade pytype ruff semantic_release tbump "
    "towncrier ty typos vulture yamlfix yapf"
)
"""Tables of ``tool``, sections of ``setup.cfg``: of linters, checkers and release tools."""
PAGE = _words(
    "authors classifiers description keywords license license-files maintainers readme urls "
    "author author_email classifier home_page license_file license_files long_description "
    "long_description_content_type maintainer maintainer_email platforms project_urls "
    "requires-python summary url"
)
"""Metadata that an index page and an installer read; the interpreter that runs is the same."""
GROUPS = _words("doc docs lint linting typing types mypy style format release publish")
"""Names of extras and dependency groups that no test is run with."""
OF_TESTS = ("pytest", "tool:pytest", "coverage:*", "coverage", "report", "run", "paths")
"""Sections of ``tox.ini`` that a test run reads; all others are tox's own."""
NEVER_SEEN = frozenset({"manifest.in"})


def is_unseen(change: Change) -> bool:
    """Whether no test can see any of the changed files; false for a change of nothing."""
    return bool(change.files) and all(_is_unseen(change, file) for file in change.files)


def _is_unseen(change: Change, file: FileChange) -> bool:
    name = PurePosixPath(file.path).name.lower()
    if file.status in ("M", "A", "D") and name in _READERS:
        return _same(change, file, _READERS[name])
    return file.kinds - {Kind.GENERATED} <= {Kind.DOCS, Kind.CI} or name in NEVER_SEEN


def _same(change: Change, file: FileChange, read: Callable[[str], Any]) -> bool:
    """Whether both sides say the same to a test; false where one cannot be read."""
    try:
        before, after = _side(change, change.base, file.path), _now(change, file.path)
        return bool(read(before) == read(after))
    except (OSError, ValueError, configparser.Error, AttributeError, TypeError):
        return False


def _side(change: Change, revision: str, path: str) -> str:
    """Return the file at ``revision``; empty where it is not there."""
    found = run(change.root, "show", f"{revision}:{path}", check=False)
    return found.out.decode("utf-8") if found.code == 0 else ""


def _now(change: Change, path: str) -> str:
    if change.head == WORKTREE:
        place = change.root / path
        return place.read_text(encoding="utf-8") if place.is_file() else ""
    return _side(change, "" if change.head == STAGED else change.head, path)


def _pyproject(text: str) -> Any:
    found = tomllib.loads(text)
    tool = {name: table for name, table in found.get("tool", {}).items() if name not in TOOLS}
    project = {key: value for key, value in found.get("project", {}).items() if key not in PAGE}
    for whole, key in ((project, "optional-dependencies"), (found, "dependency-groups")):
        groups = whole.get(key, {})
        whole[key] = {name: one for name, one in groups.items() if name.lower() not in GROUPS}
    return {**found, "tool": tool, "project": project}


def _sections(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def _setup(text: str) -> Any:
    found = {}
    for name, values in _sections(text).items():
        if name.split(":")[0].split("-")[0] in TOOLS:
            continue
        kept = values
        if name == "metadata":
            kept = {
                key: value for key, value in values.items() if key.replace("-", "_") not in PAGE
            }
        if name == "options.extras_require":
            kept = {key: value for key, value in values.items() if key not in GROUPS}
        found[name] = kept
    return found


def _tox(text: str) -> Any:
    return {
        name: values
        for name, values in _sections(text).items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in OF_TESTS)
    }


_READERS: dict[str, Callable[[str], Any]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup,
    "tox.ini": _tox,
}
