"""What a file mentions, as plain values for the store: a warm decision parses what changed only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pytest_aipipe.select.keeping import Kept
from pytest_aipipe.select.mentions import Binder, Function, Mentions, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_aipipe.select.mentions import Told
    from pytest_aipipe.select.parts import Points

FORMAT = f"12-{sys.version_info.major}.{sys.version_info.minor}"
"""The number is to be raised whenever ``read_mentions`` answers differently for a text."""


class _Ways:
    """Numbers ways: a file has few different ones, and names each many times."""

    def __init__(self) -> None:
        self.table: dict[Way, int] = {}

    def number(self, way: Way) -> int:
        return self.table.setdefault(way, len(self.table))

    def told(self, mentions: Mapping[str, Iterable[Way]]) -> dict[str, list[int]]:
        return {name: sorted(map(self.number, ways)) for name, ways in mentions.items()}


def packed(found: Mentions) -> dict[str, Any]:
    """Return plain values that :func:`unpacked` makes the same of."""
    ways = _Ways()
    return {
        "lines": {
            name: [[ways.number(way), sorted(lines)] for way, lines in some.items()]
            for name, some in found.lines.items()
        },
        "binders": [
            [
                ways.told(one.mentions),
                sorted(one.binds),
                one.effect,
                one.star,
                one.makes,
                one.method,
                sorted(one.still),
                sorted(one.values),
                sorted(one.noted),
                one.test,
                {name: list(some) for name, some in one.tables.items()},
            ]
            for one in found.binders
        ],
        "imports": ways.told(found.imports),
        "entries": {name: _points(points) for name, points in found.entries.items()},
        "methods": {
            name: {method: _points(points) for method, points in some.items()}
            for name, some in found.methods.items()
        },
        "bases": found.bases,
        "functions": [
            [
                one.name,
                one.top,
                one.span.start,
                one.span.stop,
                one.keeps,
                one.lasts,
                sorted(one.remembers.calls),
                sorted(one.remembers.lines),
            ]
            for one in found.functions
        ],
        "sets": [sorted(found.fixtures), sorted(found.autouse), sorted(found.shaped)],
        "catches": {name: sorted(lines) for name, lines in found.catches.items()},
        "shared": [[span.start, span.stop] for span in found.shared],
        "readable": found.readable,
        "ways": list(ways.table),
    }


def unpacked(row: Any) -> Mentions | None:
    """Return what :func:`packed` was given, None where these are no values of its."""
    try:
        ways = [Way(str(kind), str(base), int(level)) for kind, base, level in row["ways"]]
        fixtures, autouse, shaped = map(set, row["sets"])
        return Mentions(
            lines={
                name: {ways[number]: set(lines) for number, lines in some}
                for name, some in row["lines"].items()
            },
            binders=[_binder(one, ways) for one in row["binders"]],
            imports=_told(row["imports"], ways),
            entries={name: _of(points) for name, points in row["entries"].items()},
            methods={
                name: {method: _of(points) for method, points in some.items()}
                for name, some in row["methods"].items()
            },
            bases={name: list(some) for name, some in row["bases"].items()},
            functions=[
                Function(
                    name,
                    top,
                    range(start, stop),
                    bool(keeps),
                    Kept(frozenset(calls), frozenset(lines)),
                    bool(lasts),
                )
                for name, top, start, stop, keeps, lasts, calls, lines in row["functions"]
            ],
            fixtures=fixtures,
            autouse=autouse,
            shaped=shaped,
            catches={name: set(lines) for name, lines in row["catches"].items()},
            shared=[range(start, stop) for start, stop in row["shared"]],
            readable=bool(row["readable"]),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _binder(row: Any, ways: list[Way]) -> Binder:
    mentions, binds, effect, star, makes, method, still, values, noted, test, tables = row
    told = Way(*star) if star else None
    return Binder(
        _told(mentions, ways),
        frozenset(binds),
        bool(effect),
        told,
        bool(makes),
        str(method),
        frozenset(still),
        frozenset(values),
        frozenset(noted),
        str(test),
        {name: tuple(some) for name, some in tables.items()},
    )


def _told(row: Any, ways: list[Way]) -> Told:
    return {name: {ways[number] for number in numbers} for name, numbers in row.items()}


def _points(points: Points) -> list[list[int]]:
    return [sorted(points[0]), sorted(points[1])]


def _of(row: Any) -> Points:
    lines, entries = row
    return frozenset(lines), frozenset(entries)
