"""Whether two versions of a settings file can make a difference to a test run.

They hold what many tools want to be told. What belongs to formatters, linters, type checkers
and packagers is left out of the comparison; all else counts.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from typing import Any

SILENT_TOOLS = frozenset(
    {"ruff", "black", "isort", "mypy", "pyright", "basedpyright", "pylint", "flake8", "codespell"}
    | {"towncrier", "commitizen", "bumpversion", "bumpver", "semantic_release", "cibuildwheel"}
    | {"check-manifest", "interrogate", "vulture", "bandit", "typos", "doc8", "djlint", "ty"}
)
SILENT_PROJECT = frozenset(
    {"version", "description", "readme", "license", "license-files", "authors", "maintainers"}
    | {"keywords", "classifiers", "urls"}
)
SILENT_SECTION = re.compile(
    r"tox(:.*)?|testenv(:.*)?|gh-actions.*|flake8|mypy.*|isort|pycodestyle|pydocstyle|pylint.*"
    r"|bumpversion.*|bdist_wheel|metadata|sdist|upload_docs|check-manifest|codespell|doc8"
)


def differ(path: str, old: bytes | None, new: bytes | None) -> bool:
    """Return whether a test run could notice that ``old`` became ``new``; True where in doubt."""
    if old is None or new is None:
        return True
    read = _toml if path.endswith(".toml") else _ini
    try:
        return bool(read(old) != read(new))
    except (ValueError, configparser.Error):
        return True


def _toml(content: bytes) -> dict[str, Any]:
    told = tomllib.loads(content.decode("utf-8"))
    tools = {k: v for k, v in told.get("tool", {}).items() if k not in SILENT_TOOLS}
    project = {k: v for k, v in told.get("project", {}).items() if k not in SILENT_PROJECT}
    return {**told, "tool": tools, "project": project}


def _ini(content: bytes) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(content.decode("utf-8"))
    return {
        name: dict(parser[name]) for name in parser.sections() if not SILENT_SECTION.fullmatch(name)
    }
