"""One advisory in OSV's form: https://ossf.github.io/osv-schema/."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from aipipe_build.image.packages import normalised
from aipipe_build.scan.severity import UNKNOWN, severity_of


class AdvisoryError(ValueError):
    """An advisory with holes. ``packages`` are those that it names, None where nobody can tell."""

    def __init__(self, what: str, packages: tuple[tuple[str, str], ...] | None = None) -> None:
        super().__init__(what)
        self.packages = packages


@dataclass(frozen=True, slots=True)
class Affected:
    """One package that an advisory speaks of. ``events`` are pairs of kind and version."""

    ecosystem: str
    name: str
    ranges: tuple[tuple[tuple[str, str], ...], ...] = ()
    versions: frozenset[str] = frozenset()
    other_ranges: bool = False
    """Whether it has ranges that are no versions, commits of a repository."""
    severity: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Advisory:
    """What is known of one vulnerability. ``modified`` is None where it is not told."""

    identity: str
    aliases: frozenset[str] = frozenset()
    summary: str = ""
    modified: dt.datetime | None = None
    withdrawn: bool = False
    affected: tuple[Affected, ...] = ()
    links: tuple[str, ...] = field(default=(), compare=False)

    @property
    def names(self) -> frozenset[str]:
        """Its own name and all that others call it."""
        return self.aliases | {self.identity}

    @property
    def severity(self) -> str:
        """The gravest that it says of any package."""
        from aipipe_build.scan.severity import gravest

        return gravest(one.severity for one in self.affected)


def package_key(ecosystem: str, name: str) -> tuple[str, str]:
    """Return what packages are found by."""
    return ecosystem, normalised(name) if ecosystem == "PyPI" else name


def read_advisory(document: object) -> Advisory:
    """Return the advisory that a JSON document holds. Raises :class:`AdvisoryError`."""
    if not isinstance(document, dict):
        raise AdvisoryError("it is no JSON object")
    identity = document.get("id")
    packages = _named(document)
    if not isinstance(identity, str) or not identity:
        raise AdvisoryError("it has no id", packages)
    try:
        own = severity_of(document)
        affected = tuple(_affected(row, own) for row in _list(document, "affected"))
        return Advisory(
            identity=identity,
            aliases=frozenset(map(str, _list(document, "aliases"))),
            summary=str(document.get("summary") or document.get("details") or "")[:300],
            modified=_time(document.get("modified")),
            withdrawn=bool(document.get("withdrawn")),
            affected=affected,
            links=tuple(
                str(row["url"])
                for row in _list(document, "references")
                if isinstance(row, dict) and "url" in row
            ),
        )
    except AdvisoryError as error:
        raise AdvisoryError(f"{identity}: {error}", packages) from error


def _named(document: dict[str, Any]) -> tuple[tuple[str, str], ...] | None:
    """Return the packages that a damaged advisory names; None where that cannot be told."""
    rows = document.get("affected")
    if not isinstance(rows, list) or not rows:
        return None
    found = []
    for row in rows:
        package = row.get("package") if isinstance(row, dict) else None
        if not isinstance(package, dict):
            return None
        ecosystem, name = package.get("ecosystem"), package.get("name")
        if not isinstance(ecosystem, str) or not isinstance(name, str):
            return None
        found.append(package_key(ecosystem, name))
    return tuple(found)


def _affected(row: object, own: str) -> Affected:
    package = row.get("package") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(package, dict):
        raise AdvisoryError("it does not say which package is affected")
    ecosystem, name = package.get("ecosystem"), package.get("name")
    if not isinstance(ecosystem, str) or not isinstance(name, str) or not name:
        raise AdvisoryError("it names no package")
    ranges = []
    others = False
    for one in _list(row, "ranges"):
        if not isinstance(one, dict):
            raise AdvisoryError("a range is no object")
        if one.get("type") == "GIT":
            others = True
            continue
        ranges.append(_events(one))
    severity = severity_of(row)
    return Affected(
        *package_key(ecosystem, name),
        ranges=tuple(ranges),
        versions=frozenset(map(str, _list(row, "versions"))),
        other_ranges=others,
        severity=own if severity == UNKNOWN else severity,
    )


def _events(one: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    events = []
    for event in _list(one, "events"):
        if not isinstance(event, dict) or len(event) != 1:
            raise AdvisoryError("an event of a range is none")
        kind, version = next(iter(event.items()))
        if kind not in ("introduced", "fixed", "last_affected", "limit"):
            raise AdvisoryError(f"an event of a range is {kind!r}, which nobody knows")
        if not isinstance(version, str) or not version:
            raise AdvisoryError(f"the event {kind!r} of a range has no version")
        events.append((kind, version))
    if not any(kind == "introduced" for kind, _ in events):
        raise AdvisoryError("a range does not say where it begins")
    return tuple(events)


def _list(document: dict[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise AdvisoryError(f"{name} is no list")
    return value


def _time(value: object) -> dt.datetime | None:
    if value is None:
        return None
    try:
        # More digits of a second than Python takes are dropped.
        text = str(value).split(".")[0].removesuffix("Z")
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise AdvisoryError(f"modified is no time: {value!r}") from error
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
