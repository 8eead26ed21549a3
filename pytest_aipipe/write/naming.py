"""Names of files and tests that the project's own settings collect."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from pytest_aipipe.write.telling import tellings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_aipipe.generate.model import Candidate
    from pytest_aipipe.generate.request import Naming

# What an earlier run left in our own folder is replaced or moved, and is in nobody's way.
_SKIPPED = frozenset(
    {".aipipe", ".git", ".hg", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__"}
)
MAX_STEM = 60
MAX_NAME = 79


def taken_names(root: Path, limit: int = 50_000) -> frozenset[str]:
    """Return the base names of the Python files below ``root``."""
    found: set[str] = set()
    for _, folders, files in os.walk(root):
        folders[:] = [one for one in folders if one not in _SKIPPED]
        found.update(one for one in files if one.endswith(".py"))
        if len(found) > limit:
            break
    return frozenset(found)


def file_name(stem: str, naming: Naming, taken: Iterable[str]) -> str:
    """Return a name that ``python_files`` collects and that no file of the tree has.

    Two test files of one name cannot both be imported under pytest's default import mode. Where
    the project collects only files of one fixed name, pytest has to be given the file itself.
    """
    used = set(taken)
    pattern = next((one for one in naming.files if "*" in one and "/" not in one), "test_*.py")
    clean = re.sub(r"\W+", "_", stem).strip("_").lower()[:MAX_STEM].strip("_") or "change"
    for number in range(1, 1000):
        middle = clean if number == 1 else f"{clean}_{number}"
        name = re.sub(r"\[[^]]*\]|\?", "x", pattern).replace("*", middle, 1).replace("*", "")
        if name not in used and any(fnmatch(name, one) for one in naming.files):
            return name
    fixed = f"test_{clean}_generated"
    ends = ("", *(f"_{number}" for number in range(2, 2 + len(used))))
    return next(name for end in ends if (name := f"{fixed}{end}.py") not in used)


def test_name(name: str, naming: Naming, taken: Iterable[str]) -> str:
    """Return ``name`` changed as little as makes it collected, and unlike those ``taken``."""
    used = set(taken)
    patterns = naming.functions
    base = name
    if not _collected(base, patterns):
        prefix = patterns[0].rstrip("*_") if patterns else "test"
        base = f"{prefix}_{re.sub('^test_?', '', name)}"
    number, unique = 1, base
    while unique in used:
        number += 1
        unique = f"{base}_{number}"
    return unique


def telling_name(candidate: Candidate, taken: Iterable[str], *, alone: bool) -> str:
    """Return the candidate's name with what it shows, and what sets it apart where it must be.

    ``alone`` says that no other test of the file has the same name to begin with.
    """
    always, apart = tellings(candidate)
    used = set(taken)
    name = _joined(candidate.name, always)
    if (alone or always) and name not in used:
        return name
    for more in [*([one] for one in apart), apart[:2]]:
        longer = _joined(name, more)
        if longer != name and longer not in used:
            return longer
    return name


def _joined(name: str, ends: Iterable[str]) -> str:
    for end in ends:
        if end and end not in name and len(name) + len(end) < MAX_NAME:
            name = f"{name}_{end}"
    return name


def class_name(name: str, naming: Naming, taken: Iterable[str]) -> str:
    """Return a class name that is collected, and unlike those ``taken``."""
    used = set(taken)
    base = name if _collected(name, naming.classes) else f"{naming.classes[0].rstrip('*')}{name}"
    number, unique = 1, base
    while unique in used:
        number += 1
        unique = f"{base}{number}"
    return unique


def _collected(name: str, patterns: tuple[str, ...]) -> bool:
    return any(
        name.startswith(one) or ("*" in one and fnmatch(name, one)) for one in patterns if one
    )
