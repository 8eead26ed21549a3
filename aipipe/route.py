"""The route: how much testing, building and watching a change deserves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.change import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

BUILDS = ("skip", "cached", "dependencies", "full")

TESTS = ("skip", "impacted", "full", "full+extra")

UNSHIPPED = frozenset({Kind.DOCS, Kind.TESTS})
"""Kinds that are no part of an image; ``other`` may well be."""

UNRUN = UNSHIPPED | {Kind.CI}
"""Kinds that no program of the product runs: beyond the tests that they touch, none can fail."""


@dataclass(frozen=True, slots=True)
class Route:
    """What each stage does; the values are those of the contract's JSON."""

    tests: str
    build: str
    strategy: str
    watch_seconds: int


MATRIX = {
    "low": Route("impacted", "cached", "rolling", 600),
    "medium": Route("full", "dependencies", "rolling", 600),
    "high": Route("full+extra", "full", "canary", 1800),
}


def route_for(
    level: str,
    kinds: AbstractSet[Kind],
    matrix: Mapping[str, Route] = MATRIX,
    *,
    unseen: bool = False,
    read: bool = False,
    idle: bool = False,
    installs: bool = False,
) -> Route:
    """Return the route of a change by its risk level and its kinds.

    A change that no test can see (``unseen``; documentation always, and none at all) is not
    tested, unless a test may ``read`` one of its files; what the product does not run
    (``idle``; tests, documents and CI always) gets no more than the tests that it touches; what
    ``installs`` something else for the tests gets all of them; and what ships nothing is not
    built. New dependencies and image files raise the build above its level's row.
    """
    row = matrix[level]
    tests = row.tests
    unseen = unseen or kinds <= {Kind.DOCS}
    if unseen or idle or kinds <= UNRUN:
        tests = min(tests, "impacted", key=TESTS.index)
    if installs:
        tests = max(tests, "full", key=TESTS.index)
    elif unseen and not read:
        tests = "skip"
    build = "skip" if kinds <= UNSHIPPED else row.build
    if Kind.DEPENDENCIES in kinds:
        build = _at_least(build, "dependencies")
    if Kind.DOCKER in kinds:
        build = _at_least(build, "full")
    return Route(tests, build, row.strategy, row.watch_seconds)


def _at_least(build: str, least: str) -> str:
    return max(build, least, key=BUILDS.index)


def reasons(
    level: str,
    kinds: AbstractSet[Kind],
    route: Route,
    matrix: Mapping[str, Route] = MATRIX,
    edited: AbstractSet[str] = frozenset(),
    reader: str = "",
    installed: str = "",
) -> dict[str, str]:
    """Return why each part of ``route`` is as it is, by the part's name.

    ``reader`` says which test may read the documentation that changed, ``installed`` what the
    tests will run with that they did not run with before.
    """
    row = matrix[level]
    source = f"risk.yaml's row for {level} risk" if level in edited else f"{level} risk"
    why = dict.fromkeys(("tests", "build", "strategy", "watch_seconds"), source)
    if route.tests == "skip" != row.tests:
        why["tests"] = "nothing that a test can see changed" if kinds else "nothing changed"
        if kinds == {Kind.DOCS}:
            why["tests"] = "only documentation changed"
    elif route.tests != row.tests:
        why["tests"] = installed or "nothing that the product runs changed"
    if reader:
        why["tests"] = reader
    if route.build == "skip" != row.build:
        why["build"] = "nothing that ships changed"
    elif route.build != row.build:
        what = "the image's recipe" if Kind.DOCKER in kinds else "dependencies"
        why["build"] = f"{what} changed"
    return why
