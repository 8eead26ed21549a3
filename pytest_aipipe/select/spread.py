"""From what differs in some files to what a test must have run, or be called, to notice.

Names spread: what is bound at import from a changed name is changed as well, in its own
file and in those that import it. The answer is a list of clauses over recorded points, and
the files of which nothing finer can be said than who can load them.
"""

from __future__ import annotations

import builtins
import re
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_aipipe.select import parts
from pytest_aipipe.select.bases import COMMON
from pytest_aipipe.select.decide import conftests
from pytest_aipipe.select.demand import Clause, Demand
from pytest_aipipe.select.futures import add_handed
from pytest_aipipe.select.graph import stem
from pytest_aipipe.select.index import Index, Key
from pytest_aipipe.select.lists import NOTHING, Lists, add_rows, add_rows_of_list
from pytest_aipipe.select.mentions import BY_TEXT, OBJECT, STAR, Mentions, Way
from pytest_aipipe.select.methods import add_method
from pytest_aipipe.select.reader import read_mentions
from pytest_aipipe.select.signatures import add_annotated, add_signed
from pytest_aipipe.select.stars import Offers, hides
from pytest_aipipe.select.tables import Rows
from pytest_aipipe.select.texts import add_described
from pytest_aipipe.select.values import add_value, is_shaped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pytest_aipipe.select.graph import Graph
    from pytest_aipipe.select.impact import Impact
    from pytest_aipipe.select.index import Recall
    from pytest_aipipe.select.mentions import Binder
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.stars import Star

MOST = 300
"""Names that a change may spread to; past it the files are taken whole."""

SPECIAL = frozenset({"pytestmark", "pytest_plugins", "collect_ignore", "collect_ignore_glob"})
"""Names that pytest reads from a module."""

LOOKS_INSIDE = re.compile(
    rb"\b(globals|vars|locals|__name__|__dict__|__module__|eval|exec|modules|import_module)\b"
    rb"|__import__|skipif|xfail|get_type_hints|ForwardRef|\bpickle|importlib|getfixturevalue"
)
"""What a file says that comes to its own names by their texts."""


class Spread:
    """Works out one demand. ``versions`` are the contents that were recorded, by path.

    ``tests`` are the files in which tests stand, ``recall`` what is known of contents.
    """

    def __init__(
        self,
        versions: Mapping[str, Sequence[tuple[str, bytes]]],
        graph: Graph,
        tests: Collection[str] = (),
        recall: Recall = lambda _: None,
    ) -> None:
        self.demand = Demand()
        self.tests = tests
        self.index = Index(versions, self.can_load, recall)
        self.lists = Lists()
        self.touched: list[tuple[Key, Points]] = []
        self._graph = graph
        self._reach: dict[str, frozenset[str]] = {}
        self._starred: dict[str, list[tuple[Key, Mentions]]] = {}
        self._done: set[tuple[str, str, bool]] = set()
        self._waiting: list[tuple[str, str, bool, str]] = []

    def add(self, key: Key, impact: Impact, new: bytes | None) -> None:
        """Add what a file's difference means; ``new`` is its content now."""
        path = key[0]
        if not impact.is_inside:
            self.demand.named.add(path)
        if impact.whole:
            self.demand.whole.setdefault(path, f"{path} {impact.whole}")
        if impact.hooks:
            self.demand.everything = f"the hook {min(impact.hooks)} of {path} changed"
        if impact.lines or impact.entries:
            points = frozenset(impact.lines), frozenset(impact.entries)
            self.touched.append((key, points))
            self.demand.clauses.append(Clause(f"ran changed lines of {path}", [{key: points}]))
        if impact.script:
            self.demand.wider = True
            why = f"runs {path} as a script, which is another one"
            self.demand.clauses.append(Clause(why, [{key: parts.MODULE}], itself=True))
        for name in sorted(impact.names):
            table = impact.lists.get(name, NOTHING)
            known = self.lists.note(path, name, table) or (path, name, False) in self._done
            if name in impact.lists and not known:
                self.lists.begin(path, name, table)
            self._waiting.append((path, name, False, f"uses {name} of {path}, which changed"))
        for name in sorted(impact.added):
            self._waiting.append((path, name, True, f"uses {name} of {path}, which is new"))
        for name in sorted(impact.described - impact.names):
            add_described(self, key, name)
        for name in sorted(impact.signed.keys() - impact.names):
            add_signed(self, key, name, impact.signed[name])
        for name in sorted(impact.annotated - impact.names):
            add_annotated(self, key, name)
        for klass, method in sorted(impact.methods):
            add_method(self, key, klass, method)
        for klass, value in sorted(impact.values):
            add_value(self, key, klass, value)
        for (klass, test), some in sorted(impact.tables.items()):
            for table in some:
                why = f"a row of {test} of {path} changed"
                add_rows(self, (path, klass), test, Rows(why, [table], table.names))
        for star in impact.stars:
            self._star(path, star)
        if impact.handed is not None:
            add_handed(self, path, impact.handed)
        if new is not None and (impact.added or impact.names):
            self._fixtures(path, impact, read_mentions(new))
        self.settle()

    def ask(
        self, path: str, names: Collection[str] | None, why: str, *, wider: bool = True
    ) -> None:
        """Add that ``names`` of a module differ; None for all of it.

        ``wider`` says that it is for more than statements that differ in files that were named.
        """
        self.demand.wider |= wider or names is None
        if names is None:
            self.demand.whole.setdefault(path, why)
        self._take(path, names or (), why)
        self.settle()

    def _star(self, path: str, star: Star) -> None:
        """Add the names that came or went with a star: those that the other side does not take."""
        offers = Offers(self._graph, self.index.versions)
        offer = offers.of(path, star.module, star.level)
        if offer is None:
            self.demand.whole.setdefault(path, f"{path} imports whatever another module names")
            return
        bound = {n for _, there in self.index.of_path(path) for b in there.binders for n in b.binds}
        why = f"of {path}, which a star brings or brought"
        came, went = offer.maybe - star.named, star.named - offer.sure
        if not star.gained:
            came, went = went, came
        for name in sorted((came | went) - (offers.own(path, star) - bound)):
            new = name not in went and name not in bound
            self._waiting.append((path, name, new, f"uses {name} {why}"))

    def add_file(self, path: str, why: str, *, may_be_loaded: bool = True) -> None:
        """Add that a file which is no code changed: who names it may read it.

        With ``may_be_loaded`` it may also be read in ways that no record shows.
        """
        self.demand.wider |= may_be_loaded
        name = path.rpartition("/")[2]
        wanted: dict[Key, Points | None] = {}
        for key, found in self.index.mentioning(name):
            lines = found.lines.get(name, {}).get(BY_TEXT)
            if lines:
                wanted[key] = parts.lines(lines)
            for binder in found.binders:
                if BY_TEXT in binder.mentions.get(name, ()):
                    self._take(key[0], binder.binds, why)
                    if binder.effect:
                        self.demand.whole.setdefault(key[0], why)
        if wanted:
            self.demand.clauses.append(Clause(why, [wanted]))
        self.settle()

    def _fixtures(self, path: str, impact: Impact, new: Mentions) -> None:
        for name in (impact.added | impact.names) & new.fixtures:
            self.demand.fixtures[path, name] = f"uses the fixture {name}, which changed"
        if (impact.added | impact.names) & new.autouse:
            self.demand.whole.setdefault(path, f"{path} has another fixture that is always used")

    def _take(self, path: str, names: Iterable[str], why: str, *, rows: bool = False) -> None:
        """Take names for changed; of a list that is one of them only ``rows`` may differ."""
        for name in names:
            if not rows:
                self.lists.note(path, name)
            self._waiting.append((path, name, False, why))

    def settle(self) -> None:
        """Spread what was taken for changed."""
        while self._waiting:
            path, name, new, why = self._waiting.pop()
            if (path, name, new) in self._done:
                continue
            self._done.add((path, name, new))
            if len(self._done) > MOST:
                self.demand.whole.setdefault(path, f"{path} changed, and much depends on it")
                continue
            self._spread(path, name, why, new=new)

    def is_done(self, path: str, name: str) -> bool:
        """Whether ``name`` was asked about before; from now on it was."""
        one = (path, name, False)
        if one in self._done:
            return True
        self._done.add(one)
        return False

    # A name of a module

    def _spread(self, path: str, name: str, why: str, *, new: bool) -> None:
        demand = self.demand
        if name in SPECIAL:
            demand.whole.setdefault(path, f"{path} tells pytest something else")
        if not new:
            demand.parts[path, name] = why
            self._own(path, name, why)
        wanted: dict[Key, Points | None] = {}
        for key, found in self.index.mentioning(name):
            points = self.points(key[0], found, path, name, new=new)
            if points != parts.NOWHERE:
                wanted[key] = points
            self._bind(key, found, path, name, why, new=new)
        for key, _ in self.starred(path, name):
            self._waiting.append((key[0], name, new, why))
            if name == "__all__":
                demand.whole.setdefault(key[0], why)
        if wanted:
            demand.clauses.append(Clause(why, [wanted]))

    def _own(self, path: str, name: str, why: str) -> None:
        """Take in the functions below the name, and the code that looks through its module."""
        wanted: dict[Key, Points | None] = {}
        for key, found in self.index.of_path(path):
            points = found.entries.get(name, parts.NOWHERE)
            inside = {line for some in found.lines.get(OBJECT, {}).values() for line in some}
            for numbers in found.lines.get(STAR, {}).values():
                points = parts.joined(points, parts.lines(numbers - inside))
            if points != parts.NOWHERE:
                wanted[key] = points
            if name in found.fixtures:
                self.demand.fixtures[path, name] = why
            if name in found.autouse:
                self.demand.whole.setdefault(path, why)
        if wanted:
            self.demand.clauses.append(Clause(why, [wanted]))

    def points(
        self, here: str, found: Mentions, path: str, name: str, *, new: bool = False
    ) -> Points:
        """Return the points of ``here`` at which the name of the module ``path`` is used."""
        numbers: set[int] = set()
        for way, lines in found.lines.get(name, {}).items():
            if self._means(way, here, found, path, name, new=new):
                numbers |= lines
        return parts.lines(numbers)

    def _bind(
        self, key: Key, found: Mentions, path: str, name: str, why: str, *, new: bool
    ) -> None:
        """Spread to what is bound at import from the name."""
        here = key[0]
        for binder in found.binders:
            if not self.binds_from(here, found, binder, path, name, new=new):
                continue
            lists = self.lists.of(path, name)
            if lists is not None and name in binder.tables and here in self.tests:
                add_rows_of_list(self, here, binder, lists, name, why)
                continue
            imports = any(way.kind == "import" for way in binder.mentions[name])
            if lists and imports and not self.lists.hand_on(lists, here, binder.binds):
                self.demand.whole.setdefault(here, why)
            if name in binder.noted and not is_shaped(found, binder.binds):
                for bound in sorted(binder.binds):
                    add_annotated(self, key, bound)
                continue
            if binder.effect and (here, name) != (path, "__doc__"):
                self.demand.whole.setdefault(here, f"{here} {why}")
            itself = here == path and binder.binds == {name}
            self.bound(key, found, binder, why, rows=imports or itself)

    def binds_from(
        self,
        here: str,
        found: Mentions,
        binder: Binder,
        path: str,
        name: str,
        *,
        new: bool = False,
    ) -> bool:
        """Whether a statement that runs at import mentions the name of the module ``path``."""
        ways = binder.mentions.get(name, ())
        return any(self._means(way, here, found, path, name, new=new) for way in ways)

    def bound(
        self, key: Key, found: Mentions, binder: Binder, why: str, *, rows: bool = False
    ) -> None:
        """Take what a statement binds for changed.

        Of a method's defaults it is the method, of a plain value of a class that value, of a
        test's marks that test and those who inherit it. Only ``rows`` of a list may differ.
        """
        if binder.test and key[0] in self.tests:
            below = self.index.below((key[0], min(binder.binds)))
            self.demand.parts.update({(where, binder.test): why for where, _ in below})
            return
        for value in sorted(binder.values):
            add_value(self, key, min(binder.binds), value)
        if binder.values:
            return
        if not binder.method:
            self._take(key[0], binder.binds - {"__all__"}, why, rows=rows)
            return
        (klass,) = binder.binds
        self.demand.clauses.append(Clause(why, [{key: found.methods[klass][binder.method]}]))
        add_method(self, key, klass, binder.method)

    def _means(
        self, way: Way, here: str, found: Mentions, path: str, name: str, *, new: bool
    ) -> bool:
        """Whether a mention in ``here`` can mean the name of the module ``path``."""
        if way.kind == "name":
            return here == path and (not new or hasattr(builtins, name))
        if way.kind == "text":
            # What is new in a file of tests is told to nobody but by the file's own means.
            alone = new and here == path and path in self.tests
            return self.can_load(here, path) and not (alone and self._is_blind(path))
        if way.kind == "import":
            return path in self._graph.meant(here, way.level, way.base)
        root, dot, rest = way.base.partition(".")
        if root in found.imports:
            meant = [
                self._graph.meant(here, one.level, f"{one.base}{dot}{rest}")
                for one in found.imports[root]
            ]
            if any(meant) or not dot:
                return any(path in some for some in meant)
        last = way.base.rpartition(".")[2]
        if last != stem(path) and (new or name in COMMON or here == path):
            return False
        return self.can_load(here, path)

    def _is_blind(self, path: str) -> bool:
        """Whether no text in a file can lead to a name of the file itself."""
        own = re.compile(rb"\b" + re.escape(stem(path).encode()) + rb"\b")
        known = self.index.versions.get(path, ())
        return not any(own.search(text) or LOOKS_INSIDE.search(text) for _, text in known)

    def can_load(self, here: str, path: str) -> bool:
        """Whether ``here`` can have the module ``path`` from somewhere."""
        return path in self._reached(here)

    @cached_property
    def loadable(self) -> frozenset[str]:
        """The files of tests, and those that they can load."""
        return frozenset(self.tests).union(*map(self._reached, self.tests))

    def _reached(self, here: str) -> frozenset[str]:
        if here not in self._reach:
            above = conftests(here, self._graph.files)
            self._reach[here] = self._graph.reach((here, *above))
        return self._reach[here]

    def is_module(self, here: str, found: Mentions, name: str) -> bool:
        """Whether a dotted name in ``here`` is a module of the project, whatever else it may be."""
        root, dot, rest = name.partition(".")
        ways = found.imports.get(root, ())
        return bool(ways) and all(
            self._graph.meant(here, one.level, f"{one.base}{dot}{rest}") for one in ways
        )

    def starred(self, path: str, name: str) -> Iterator[tuple[Key, Mentions]]:
        """Yield the versions that import whatever the module ``path`` names, ``name`` among it.

        An ``__all__`` that differs is a name that differs itself, and a star takes that always.
        """
        if path not in self._starred:
            self._starred[path] = [*self._taking(path)]
        known = self.index.versions.get(path, ())
        if self._starred[path] and not (known and all(hides(text, name) for _, text in known)):
            yield from self._starred[path]

    def _taking(self, path: str) -> Iterator[tuple[Key, Mentions]]:
        """Yield the versions with a star of the module ``path``."""
        for other, versions in self.index.versions.items():
            for digest, source in versions:
                if b"import *" not in source and b"import*" not in source:
                    continue
                found = self.index.of((other, digest), source)
                stars = [binder.star for binder in found.binders if binder.star]
                if any(path in self._graph.meant(other, s.level, s.base) for s in stars):
                    yield (other, digest), found
