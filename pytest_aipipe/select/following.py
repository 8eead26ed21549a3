"""A name followed to where it is used, for what only some of its users can notice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_aipipe.select import parts
from pytest_aipipe.select.bases import PLAIN, TEST_CASES
from pytest_aipipe.select.demand import Clause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pytest_aipipe.select.index import Index, Key
    from pytest_aipipe.select.mentions import Mentions
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.spread import Spread

MOST = 300
"""Names that one may be followed to; past it the file is taken whole."""


def is_looked_at(index: Index, one: tuple[str, str]) -> bool:
    """Return whether something else has a say in a class, or in one below it.

    That is a decorator, a metaclass or a base, of the project or from elsewhere. ``one`` may be a
    function, in which nothing has.
    """
    for klass in index.below(one):
        ours, foreign = index.bases(klass)
        if not foreign <= PLAIN | TEST_CASES:
            return True
        for path, name in {klass, *ours}:
            for _, there in index.of_path(path):
                if name in there.shaped or "__init_subclass__" in there.methods.get(name, {}):
                    return True
    return False


class Following:
    """Follows a name; what is bound from it stands for it as well.

    Its users are asked for who ran some of ``noticing`` too; with ``handed`` also who hands the
    name to code from elsewhere, which may do with it what it likes.
    """

    def __init__(
        self, spread: Spread, why: str, noticing: Mapping[Key, Points | None], *, handed: bool
    ) -> None:
        self._spread, self._why = spread, why
        self._index = spread.index
        self._noticing = dict(noticing)
        self._hands_on = handed
        self._done: set[tuple[str, str]] = set()

    def of(self, path: str, name: str) -> None:
        """Add what is asked for because of a name, and of all that is bound from it."""
        waiting = [(path, name)]
        while waiting:
            one = waiting.pop()
            if one in self._done:
                continue
            self._done.add(one)
            if len(self._done) > MOST:
                self._spread.ask(path, None, f"{path} changed, and much depends on it")
                return
            waiting += self._bound(*one)

    def _bound(self, path: str, name: str) -> Iterator[tuple[str, str]]:
        using: dict[Key, Points | None] = {}
        handing: dict[Key, Points | None] = {}
        for key, found in self._index.mentioning(name):
            lines = self._spread.points(key[0], found, path, name)
            if key[0] == path:
                lines = parts.joined(lines, found.entries.get(name, parts.NOWHERE))
            if not self._hands_on and self._reads_at_import(key, found, path, name):
                lines = parts.joined(lines, parts.MODULE)
            if lines != parts.NOWHERE:
                using[key] = lines
            handed, given = parts.NOWHERE, frozenset[str]()
            if self._hands_on:
                handed, given = self._handed(key, found, path, name)
            if handed != parts.NOWHERE:
                handing[key] = handed
            for binder in found.binders:
                if not self._spread.binds_from(key[0], found, binder, path, name):
                    continue
                if binder.binds & given:
                    self._spread.ask(key[0], binder.binds, self._why, wider=False)
                    if binder.effect:
                        self._spread.demand.whole.setdefault(key[0], f"{key[0]} {self._why}")
                else:
                    yield from ((key[0], bound) for bound in binder.binds - {"__all__"})
        yield from ((key[0], name) for key, _ in self._spread.starred(path, name))
        clauses = self._spread.demand.clauses
        if using and self._noticing:
            clauses.append(Clause(self._why, [using, self._noticing]))
        if handing:
            clauses.append(Clause(self._why, [handing]))

    def _reads_at_import(self, key: Key, found: Mentions, path: str, name: str) -> bool:
        """Whether a statement that runs at import does more with the name than to import it."""
        return any(
            binder.makes and self._spread.binds_from(key[0], found, binder, path, name)
            for binder in found.binders
        )

    def _handed(
        self, key: Key, found: Mentions, path: str, name: str
    ) -> tuple[Points, frozenset[str]]:
        """Return where a file hands the name to code from elsewhere: points, and names bound."""
        lines: set[int] = set()
        given: set[str] = set()
        if not re.search(
            rb"\b" + re.escape(name.encode()) + rb"\s*[,)\]}]", self._index.source(key)
        ):
            return parts.NOWHERE, frozenset()
        for one in self._index.handings(key):
            if name in one.names and one.called != name and not self._index.is_ours(one.called):
                lines |= one.lines
                given |= one.binds
        if not lines and not given:
            return parts.NOWHERE, frozenset()
        means = self._spread.points(key[0], found, path, name)
        return parts.lines(lines & (means[0] | {-n for n in means[1]})), frozenset(given)


def reading(index: Index, names: set[str], but: str = "") -> dict[Key, Points | None]:
    """Return the points, by version of file, that use one of ``names``; not those for ``but``."""
    found: dict[Key, Points | None] = {}
    for path in index.versions:
        for key, there in index.of_path(path):
            if not there.readable:
                found[key] = None
                continue
            lines, entries = naming(there, names, names)
            lines -= {line for some in there.lines.get(but, {}).values() for line in some}
            if lines or entries:
                found[key] = lines, entries
    return found


def naming(there: Mentions, names: set[str], telling: Collection[str]) -> Points:
    """Return where a file uses ``names``, or what it binds by a statement with ``telling`` ones."""
    found = parts.NOWHERE
    for binder in there.binders:
        if any(one in binder.mentions for one in telling):
            names = names | (binder.binds - {"__all__"})
    for name in names:
        for lines in there.lines.get(name, {}).values():
            found = parts.joined(found, parts.lines(lines))
        found = parts.joined(found, there.entries.get(name, parts.NOWHERE))
    return found
