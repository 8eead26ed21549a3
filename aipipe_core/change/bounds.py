"""Lowest versions that are asked for: what they decide where that much is installed already.

An installer takes the newest version that all bounds allow. A lower one that what is installed
has passed takes nothing away from it, so that ``lib``, ``lib>=1`` and ``lib>=2`` install the
same; an upper bound, an exclusion and a pin do not.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.specifiers import Specifier

    Versions = Callable[[str], str | None]

FLOORS = (">=", ">")


def installed(name: str) -> str | None:
    """Return the version of the package ``name`` that runs here; None where there is none."""
    try:
        return version_of(name)
    except PackageNotFoundError:
        return None


def floorless(requirement: str, versions: Versions | None = installed) -> str:
    """Return the requirement without blanks and without lower bounds that decide nothing.

    A bound decides nothing that the version from ``versions`` meets; with None none does, as
    where the newest is always fetched. What is no requirement stays but for its blanks.
    """
    try:
        asked = Requirement(requirement)
    except InvalidRequirement:
        return "".join(requirement.split())
    kept = [one for one in asked.specifier if not _is_passed(one, asked.name, versions)]
    if len(kept) == len(asked.specifier):
        return "".join(requirement.split())
    asked.specifier = SpecifierSet(",".join(map(str, kept)))
    return "".join(str(asked).split())


def _is_passed(bound: Specifier, name: str, versions: Versions | None) -> bool:
    if bound.operator not in FLOORS:
        return False
    if versions is None:
        return True
    found = versions(name)
    return found is not None and bound.contains(found, prereleases=True)
