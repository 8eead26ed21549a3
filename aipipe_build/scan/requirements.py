"""What requirement and lock files say will be installed."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from aipipe_build.image.packages import Package, normalised
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = ("poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "pylock.toml")
_REQUIREMENTS = re.compile(r"(?:^|[-_.])requirements[-_.\w]*\.txt$")
_INCLUDE = re.compile(r"^(?:-r|--requirement)(?:\s*=\s*|\s*)(\S+)")
_EXACT = re.compile(r"===?\s*([^\s,;*]+)$")


def find_files(folder: Path) -> list[Path]:
    """Return the requirement and lock files right in ``folder``."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and (path.name in FILES or _REQUIREMENTS.search(path.name))
    )


def read_requirements(path: Path) -> list[Package]:
    """Return the packages that a file names; one without a pinned version has none.

    Raises ``requirements-unreadable``.
    """
    try:
        if path.name in FILES:
            return sorted(set(_locked(path.name, path.read_text("utf-8"), str(path))))
        return sorted(set(_lines(path, set())))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(
            "requirements-unreadable",
            f"the file cannot be read for what it installs: {error}",
            where=str(path),
            hint="Name requirement files of pip, or poetry.lock, uv.lock, Pipfile.lock.",
        ) from error


def _locked(name: str, text: str, where: str) -> Iterator[Package]:
    if name == "Pipfile.lock":
        document = json.loads(text)
        for group in ("default", "develop"):
            for key, row in (document.get(group) or {}).items():
                yield _package(key, str(row.get("version", "")).lstrip("="), where)
        return
    rows = tomllib.loads(text)
    for row in rows.get("packages" if name == "pylock.toml" else "package") or ():
        if not _is_own(row):
            yield _package(str(row["name"]), str(row.get("version", "")), where)


def _is_own(row: dict[str, Any]) -> bool:
    """Tell whether a row is the project itself, which no index has advisories for."""
    source = row.get("source")
    local = isinstance(source, dict) and ({"editable", "virtual", "directory"} & set(source))
    return bool(local) or "directory" in row


def _package(name: str, version: str, where: str) -> Package:
    return Package("PyPI", normalised(name), version, where)


def _lines(path: Path, seen: set[Path]) -> Iterator[Package]:
    resolved = path.resolve()
    if resolved in seen:
        return
    seen.add(resolved)
    text = re.sub(r"\\\r?\n", " ", path.read_text("utf-8-sig"))
    for raw in text.splitlines():
        line = re.sub(r"(?:^|\s)#.*$", "", raw).strip()
        if include := _INCLUDE.match(line):
            yield from _lines(path.parent / include[1], seen)
        elif line and not line.startswith("-"):
            yield _requirement(line, str(path))


def _requirement(line: str, where: str) -> Package:
    from packaging.requirements import InvalidRequirement, Requirement

    text = re.split(r"\s--?\w", line)[0].strip()  # hashes and other options of one line
    try:
        found = Requirement(text)
    except InvalidRequirement:
        # A path or an address: what it holds is not told, and that is what counts.
        return Package("PyPI", text, "", where)
    exact = _EXACT.search(str(found.specifier)) if len(found.specifier) == 1 else None
    return _package(found.name, exact[1] if exact and not found.url else "", where)
