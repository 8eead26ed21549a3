"""Which of a repository's files pytest takes for tests, by their names alone."""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from configparser import Error as ParserError
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe.doctor.finding import Finding, State
from aipipe_core.change.git import run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

USUAL = ("test_*.py", "*_test.py")
"""What pytest takes where nothing else is set: https://docs.pytest.org (python_files)."""
_PASSED_OVER = ("test.py", "tests.py", "*_tests.py")
_MARKED = re.compile(r"^(?:class .*\(.*TestCase\)|class Test|(?:async )?def test)", re.MULTILINE)


def tests_of(top: Path) -> Finding:
    """Return whether pytest finds a test file in the repository at ``top``; none is executed."""
    listed = run(top, "ls-files", "-z", "--cached", "--others", "--exclude-standard").text
    files = sorted(one for one in listed.split("\0") if one.endswith(".py"))
    settings = _settings(top)
    named = settings.get("python_files", USUAL)
    found = [one for one in files if _is_any(one, named) or one in settings.get("testpaths", ())]
    if found:
        count = "1 file" if len(found) == 1 else f"{len(found)} files"
        return Finding("tests", State.GOOD, f"{count} by name, from {found[0]} on")
    missed = [one for one in files if _is_any(one, _PASSED_OVER) and _holds_tests(top / one)]
    if not missed:
        advice = "pytest --ai-diff --ai-write writes the first."
        return Finding("tests", State.OPTIONAL, "none yet", advice)
    wanted = [*named, *sorted({PurePosixPath(one).name for one in missed})]
    return Finding(
        "tests",
        State.OPTIONAL,
        f"{missed[0]} holds tests, and pytest does not collect a file of that name",
        f"In pyproject.toml, under [tool.pytest.ini_options]: python_files = {_as_toml(wanted)}",
    )


def _settings(top: Path) -> dict[str, tuple[str, ...]]:
    """Return pytest's ``python_files`` and ``testpaths``, from the file that it would take."""
    table = _ini(top, "pytest.ini", "pytest") or _toml(top)
    table = table or _ini(top, "tox.ini", "pytest") or _ini(top, "setup.cfg", "tool:pytest")
    asked = {key: table[key] for key in ("python_files", "testpaths") if table.get(key)}
    return {key: tuple(_words(value)) for key, value in asked.items()}


def _toml(top: Path) -> dict[str, object]:
    try:
        content = tomllib.loads((top / "pyproject.toml").read_text("utf-8"))
        return dict(content["tool"]["pytest"]["ini_options"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _ini(top: Path, name: str, section: str) -> dict[str, object]:
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(top / name, encoding="utf-8")
    except (ParserError, UnicodeDecodeError):
        return {}
    return dict(parser[section]) if parser.has_section(section) else {}


def _words(value: object) -> Iterable[str]:
    return map(str, value) if isinstance(value, list) else str(value).split()


def _is_any(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(PurePosixPath(path).name, pattern) for pattern in patterns)


def _holds_tests(file: Path) -> bool:
    try:
        return bool(_MARKED.search(file.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return False


def _as_toml(words: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"
