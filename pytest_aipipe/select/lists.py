"""Lists that parametrized tests take their rows from, where only rows of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select.tables import Rows, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_aipipe.select.mentions import Binder
    from pytest_aipipe.select.spread import Spread

NOTHING = Table((), (), ())
"""A table of which no row is the one that it was."""


class Lists:
    """The lists of a project that differ in their rows, by file and name.

    What differs is shared by all names of a list: what is noted later counts for all of them.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[Table]] = {}

    def of(self, path: str, name: str) -> list[Table] | None:
        """Return what differs in a list; None where more than rows does, or nothing."""
        return self._known.get((path, name))

    def begin(self, path: str, name: str, table: Table) -> None:
        """Note a list of which only rows differ, as far as is known."""
        self._known[path, name] = [table]

    def note(self, path: str, name: str, table: Table = NOTHING) -> bool:
        """Note what else differs in a list; return whether it is one that is known."""
        known = self._known.get((path, name))
        if known is not None:
            known.append(table)
        return known is not None

    def hand_on(self, lists: list[Table], path: str, names: Iterable[str]) -> bool:
        """Note that a list has ``names`` in another file; return whether that is all they are."""
        return all(self._known.setdefault((path, name), lists) is lists for name in names)


def add_rows_of_list(
    spread: Spread, path: str, binder: Binder, lists: list[Table], name: str, why: str
) -> None:
    """Ask for the rows that differ of a test that takes them from a list, and does no more."""
    (top,) = binder.binds
    klass, test = (top, binder.test) if binder.test else ("", top)
    add_rows(spread, (path, klass), test, Rows(why, lists, binder.tables[name]))


def add_rows(spread: Spread, owner: tuple[str, str], test: str, rows: Rows) -> None:
    """Ask for rows of a test, in each class that has it; ``owner`` is (file, class or "")."""
    homes = {where for where, _ in spread.index.below(owner)} if owner[1] else {owner[0]}
    for where in homes:
        spread.demand.tables.setdefault((where, test), []).append(rows)
