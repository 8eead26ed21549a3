"""What an edit of a manifest or lock file means for what gets installed.

A comment or the order of lines in ``requirements.txt`` changes no dependency; neither does a
new version of something that only the tests install change what an image holds.
"""

from __future__ import annotations

import json
import posixpath
import re
from enum import StrEnum
from typing import Any

_REQUIREMENTS = re.compile(r"(?:^|[-_.])(?:requirements|constraints)[-_.\w]*\.(?:txt|in)$")
_TESTS_ONLY = re.compile(
    r"(?:^|[-_./])(?:dev|develop|test|tests|testing|lint|docs|doc|ci)(?:$|[-_./])"
)
_NAME = re.compile(r"[-_.]+")


class Meaning(StrEnum):
    """What an edit changes."""

    NOTHING = "nothing"
    """Comments, order, layout."""
    TESTS = "tests"
    """Only what tests, linters or docs install."""
    DEPENDENCIES = "dependencies"
    """What is installed with the project."""
    UNKNOWN = "unknown"
    """The file could not be read for meaning: take it as a dependency change."""


NOTES = {
    Meaning.NOTHING: " (no dependency did: comments, order or layout)",
    Meaning.TESTS: " (only what the tests install did)",
    Meaning.DEPENDENCIES: " (dependencies did)",
    Meaning.UNKNOWN: "",
}
"""What is added to the sentence that a file changed."""


def is_manifest(path: str) -> bool:
    """Tell whether ``path`` names a file that lists dependencies and can be read here."""
    name = posixpath.basename(path)
    known = ("pyproject.toml", "package.json", "Pipfile", "poetry.lock", "uv.lock", "Pipfile.lock")
    return name in known or _lists_requirements(path)


def meaning_of_edit(path: str, before: str, after: str) -> Meaning:
    """Compare two versions of a manifest or lock file."""
    try:
        old, new = _read(path, before), _read(path, after)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Meaning.UNKNOWN
    if old is None or new is None:
        return Meaning.UNKNOWN
    if old[0] != new[0]:
        return Meaning.DEPENDENCIES
    return Meaning.TESTS if old[1] != new[1] else Meaning.NOTHING


_Sets = tuple[dict[str, Any], dict[str, Any]]


def _read(path: str, text: str) -> _Sets | None:
    """Return what is installed with the project, and what only for its tests."""
    import tomllib

    name = posixpath.basename(path)
    if name == "pyproject.toml":
        return _pyproject(tomllib.loads(text))
    if name == "package.json":
        return _package_json(json.loads(text))
    if name == "Pipfile":
        document = tomllib.loads(text)
        return dict(document.get("packages", {})), dict(document.get("dev-packages", {}))
    if name == "Pipfile.lock":
        document = json.loads(text)
        return dict(document.get("default", {})), dict(document.get("develop", {}))
    if name in ("poetry.lock", "uv.lock"):
        return _locked(tomllib.loads(text))
    if _lists_requirements(path):
        lines = _requirements(text)
        stem = path.rpartition(".")[0]
        return ({}, lines) if _TESTS_ONLY.search(stem) else (lines, {})
    return None


def _lists_requirements(path: str) -> bool:
    folder, name = posixpath.split(path)
    inside = posixpath.basename(folder) == "requirements" and name.endswith((".txt", ".in"))
    return inside or bool(_REQUIREMENTS.search(name))


def _requirements(text: str) -> dict[str, Any]:
    """Return the requirement lines of pip's format, comments and layout gone."""
    joined = re.sub(r"\\\r?\n", " ", text)
    found: dict[str, Any] = {}
    for raw in joined.splitlines():
        # pip: a comment begins the line or follows white space.
        line = re.sub(r"(?:^|\s)#.*$", "", raw).strip()
        if not line:
            continue
        head = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
        if head:
            key = _NAME.sub("-", head[0]).lower()
            rest = re.sub(r"\s+", "", line[head.end() :])
            found.setdefault(key, []).append(rest)
        else:
            found.setdefault(" ".join(line.split()), []).append("")
    return {key: sorted(values) for key, values in found.items()}


def _pyproject(document: dict[str, Any]) -> _Sets:
    project = document.get("project", {})
    poetry = document.get("tool", {}).get("poetry", {})
    extras = project.get("optional-dependencies", {})
    groups = {
        **document.get("dependency-groups", {}),
        **{name: one.get("dependencies", {}) for name, one in poetry.get("group", {}).items()},
        "poetry-dev": poetry.get("dev-dependencies", {}),
    }
    main = {
        "dependencies": sorted(map(str, project.get("dependencies", []))),
        "python": project.get("requires-python"),
        "build": document.get("build-system", {}),
        "poetry": poetry.get("dependencies", {}),
        "extras": {name: sorted(one) for name, one in extras.items() if not _for_tests(name)},
        "groups": {name: one for name, one in groups.items() if not _for_tests(name) and one},
    }
    tests = {
        "extras": {name: sorted(one) for name, one in extras.items() if _for_tests(name)},
        "groups": {name: one for name, one in groups.items() if _for_tests(name) and one},
    }
    return main, tests


def _for_tests(name: str) -> bool:
    return bool(_TESTS_ONLY.search(name.lower()))


def _package_json(document: dict[str, Any]) -> _Sets:
    kinds = ("dependencies", "optionalDependencies", "peerDependencies", "engines", "overrides")
    return {kind: document.get(kind, {}) for kind in kinds}, document.get("devDependencies", {})


def _locked(document: dict[str, Any]) -> _Sets:
    """Return the packages of a lock file; those marked for development only stand apart."""
    main: dict[str, Any] = {}
    tests: dict[str, Any] = {}
    for package in document.get("package", []):
        groups = package.get("groups") or [package.get("category", "main")]
        only_tests = all(_for_tests(str(group)) for group in groups)
        (tests if only_tests else main).setdefault(package["name"], []).append(package)
    return main, tests
