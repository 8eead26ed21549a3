"""Does an advisory speak of this version? Yes, no, or nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe_build.scan.versions import VersionError, reader_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from aipipe_build.scan.advisory import Advisory, Affected


@dataclass(frozen=True, slots=True)
class Match:
    """An advisory that holds for a version. ``fixed`` are versions in which it no longer does.

    ``doubt`` says why that cannot be told for sure; it then counts as if it held.
    """

    advisory: Advisory
    severity: str
    fixed: tuple[str, ...] = ()
    doubt: str = ""


def match(advisory: Advisory, key: tuple[str, str], version: str) -> Match | None:
    """Return the match of a package's version, None where the advisory is of no concern.

    ``key`` is the ecosystem and the name. This is the specification's own evaluation:
    https://ossf.github.io/osv-schema/#evaluation.
    """
    if advisory.withdrawn:
        return None
    for affected in advisory.affected:
        if not _speaks_of(affected, key):
            continue
        fixed = tuple(v for events in affected.ranges for kind, v in events if kind == "fixed")
        try:
            holds = _holds(affected, version)
        except VersionError as error:
            return Match(advisory, affected.severity, fixed, str(error))
        if holds is None:
            doubt = "it does not say which versions are affected"
            return Match(advisory, affected.severity, fixed, doubt)
        if holds:
            return Match(advisory, affected.severity, fixed)
    return None


def _speaks_of(affected: Affected, key: tuple[str, str]) -> bool:
    """``Debian`` alone speaks of every release; ``Debian:12`` of one."""
    ecosystem, name = key
    return affected.name == name and affected.ecosystem in (ecosystem, ecosystem.partition(":")[0])


def _holds(affected: Affected, text: str) -> bool | None:
    read = reader_for(affected.ecosystem)
    version = read(text)
    if _listed(affected, version, text, read):
        return True
    if any(_inside(events, version, read) for events in affected.ranges):
        return True
    # Only commits: what they mean for a version nobody here can tell.
    return False if affected.ranges or affected.versions else None


def _listed(affected: Affected, version: Any, text: str, read: Callable[[str], Any]) -> bool:
    if text in affected.versions:
        return True
    for one in affected.versions:
        try:
            if read(one) == version:
                return True
        except VersionError:
            continue  # one entry that cannot be read leaves the others
    return False


def _inside(events: tuple[tuple[str, str], ...], version: Any, read: Callable[[str], Any]) -> bool:
    """Walk through a range's events in the order of their versions."""
    begun = [v for kind, v in events if kind == "introduced" and v == "0"]
    vulnerable = bool(begun)
    ordered = sorted(
        ((read(v), kind) for kind, v in events if not (kind == "introduced" and v == "0")),
        key=lambda pair: pair[0],
    )
    for at, kind in ordered:
        if kind == "introduced" and version >= at:
            vulnerable = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            vulnerable = False
        elif kind == "limit" and version >= at:
            return False
    return vulnerable
