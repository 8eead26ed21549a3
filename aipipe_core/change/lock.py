"""What a lock file installs that a run of the tests can notice; of ``uv.lock``.

It tells of each package who asks for what, so that only what the project's own groups reach
counts, those for documents, checks and publishing and all tools left out. Markers are not
looked at: what is locked for another interpreter counts too, for tests may run there as well.
https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from aipipe_core.change.packages import idle, is_tool, no_package, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Predicate = Callable[[str], bool]
    Package = Mapping[str, Any]

LOCK = "uv.lock"
FORMAT = 1
OWN = frozenset({"editable", "virtual"})
"""Kinds of sources of the project's own packages."""


def read_lock(
    text: str, groups: Iterable[str], tool: Predicate = is_tool, imports: Predicate = no_package
) -> dict[str, str]:
    """Return what counts of a lock file: by package its versions, and where each comes from.

    ``groups`` are the names of extras and groups that no test runs with. What only tools ask
    for counts all the same where the project ``imports`` it. Raises ValueError where the text
    is not understood.
    """
    try:
        document = tomllib.loads(text)
        if document["version"] != FORMAT:
            raise ValueError(text[:40])
        packages = list(document["package"])
        own = [one for one in packages if OWN & one["source"].keys()]
        if not own:
            raise ValueError(LOCK)
        locked = [one for one in packages if not OWN & one["source"].keys()]
        silent = {name.lower() for name in groups}
        wanted = {name for one in own for name in _asked_by_tests(one, silent, tool)}
        wanted |= {name for name in map(_name, locked) if imports(name)}
        reached = _reached(wanted, [*own, *locked])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(LOCK) from error
    found: dict[str, list[str]] = {}
    for one in locked:
        if _name(one) in reached:
            found.setdefault(_name(one), []).append(f"{one.get('version')} {one['source']}")
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}


def _asked_by_tests(own: Package, silent: set[str], tool: Predicate) -> Iterator[str]:
    """Yield what a package of the project asks for, other than tools."""
    lists = [own.get("dependencies", [])]
    for key in ("optional-dependencies", "dev-dependencies"):
        lists += [asked for name, asked in own.get(key, {}).items() if name.lower() not in silent]
    names = [_name(one) for asked in lists for one in asked]
    yield from (name for name in names if not idle(name, names, tool))


def _reached(wanted: set[str], packages: list[Package]) -> set[str]:
    """Return ``wanted`` and everything that it asks for, whatever the extra or the marker."""
    asks: dict[str, set[str]] = {}
    for one in packages:
        lists = [one.get("dependencies", []), *one.get("optional-dependencies", {}).values()]
        asks.setdefault(_name(one), set()).update(_name(to) for asked in lists for to in asked)
    reached: set[str] = set()
    while wanted:
        reached |= wanted
        wanted = {to for name in wanted for to in asks.get(name, ())} - reached
    return reached


def _name(package: Package) -> str:
    return normal(package["name"])
