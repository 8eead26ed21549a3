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
_KNOWN = frozenset(
    {
        "Pipfile",
        "Pipfile.lock",
        "npm-shrinkwrap.json",
        "package-lock.json",
        "package.json",
        "poetry.lock",
        "pyproject.toml",
        "uv.lock",
    }
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
    return name in _KNOWN or _lists_requirements(path)


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
    if name == "poetry.lock":
        return _locked(tomllib.loads(text))
    if name == "uv.lock":
        return _uv_locked(tomllib.loads(text))
    if name in ("package-lock.json", "npm-shrinkwrap.json"):
        return _npm_locked(json.loads(text))
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


def _uv_locked(document: dict[str, Any]) -> _Sets:
    """Return the packages that the project itself needs, and those that only its groups do.

    uv marks no package: what the project reaches without its groups is installed with it.
    """
    packages: dict[str, list[dict[str, Any]]] = {}
    for package in document.get("package", []):
        packages.setdefault(package["name"], []).append(package)
    roots = [name for name, found in packages.items() if any(map(_is_project, found))]
    reached: set[str] = set()
    pending = list(roots) or list(packages)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += [one for package in packages.get(name, []) for one in _uv_needs(package)]
    main = {name: packages[name] for name in reached & set(packages) - set(roots)}
    tests = {name: found for name, found in packages.items() if name not in reached}
    # The project's own entry repeats its lists, the groups among them.
    own = {name: [_uv_needs(package) for package in packages[name]] for name in roots}
    return {**main, "projects": own, "python": document.get("requires-python")}, tests


def _is_project(package: dict[str, Any]) -> bool:
    return not {"editable", "virtual", "directory"}.isdisjoint(package.get("source", {}))


def _uv_needs(package: dict[str, Any]) -> list[str]:
    """Return what one package needs, with those extras that are not for tests."""
    extras = package.get("optional-dependencies", {})
    listed = [*package.get("dependencies", [])]
    for name, needed in extras.items():
        listed += [] if _is_project(package) and _for_tests(name) else needed
    return sorted(one["name"] for one in listed)


def _npm_locked(document: dict[str, Any]) -> _Sets:
    """Return npm's packages by their place; the project's own entry says nothing more."""
    found = document.get("packages") or document["dependencies"]
    places = {place: package for place, package in found.items() if place}
    tests = {place for place, one in places.items() if one.get("dev") or one.get("devOptional")}
    return (
        {place: one for place, one in places.items() if place not in tests},
        {place: places[place] for place in tests},
    )
