"""Who is served by code that ran for somebody else: at import, or for a result that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select import parts
from pytest_aipipe.select.callers import MOST_CALLERS, Caller, Callers
from pytest_aipipe.select.demand import Clause
from pytest_aipipe.select.keeping import KEEPING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pytest_aipipe.select.index import Key
    from pytest_aipipe.select.mentions import Binder, Function, Mentions
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.spread import Spread

    Both = Callable[[Key, Points, Key, Points], bool]
    Ran = Callable[[Key, Points], Points]


def add_kept(spread: Spread, early: Collection[str] = (), both: Both = lambda *_: True) -> None:
    """Add who is served by code that ran for another, or before anybody looked.

    ``early`` are the modules that were loaded before measuring began; ``both`` says
    whether a test ran points of two files, without which nothing of the change is kept.
    """
    index, demand = spread.index, spread.demand
    sources = [source for some in index.versions.values() for _, source in some]
    if not early and not any(word in source for word in KEEPING for source in sources):
        return
    callers = Callers(index.mentioning, index.below)
    for key, touched in list(spread.touched):
        lines = touched[0] | touched[1]
        above = callers.above(key, index.of(key, index.source(key)), lines)
        called = {name for caller in above for name in callers.called(caller)}
        for path, function in above:
            entered = frozenset[int](), frozenset({function.span.start})
            homes = [(path, digest) for digest, _ in index.versions.get(path, ())]
            made = called & function.remembers.calls or lines & function.remembers.lines
            if not (function.keeps or made) or not any(
                both(key, touched, home, entered) for home in homes
            ):
                continue
            why = f"uses {function.name} of {path}, which keeps what changed code gave it"
            if function.keeps:
                _keeps(spread, path, function, why)
            elif function.serves_others:
                demand.clauses.append(Clause(why, [dict.fromkeys(homes, entered)]))
        for path in callers.at_import(called, early):
            told = f"{path} may run changed code when it is imported"
            demand.whole.setdefault(path, told)


def _keeps(spread: Spread, path: str, function: Function, why: str) -> None:
    """Ask for all who name a function that keeps its result; for a method by its class."""
    if function.top == function.name:
        spread.ask(path, {function.name}, why, wider=False)
        return
    klass = (path, function.top)
    if not spread.index.outlives(klass):
        return
    naming: dict[Key, Points | None] = {}
    for key, there in spread.index.mentioning(function.name):
        ways = there.lines.get(function.name, {})
        lines = {one for way, some in ways.items() if way.kind != "import" for one in some}
        if lines:
            naming[key] = parts.lines(lines)
    if naming:
        spread.demand.clauses.append(Clause(why, [naming, spread.index.using(klass)]))


def add_run(spread: Spread, path: str, ran: Ran = lambda _, points: points) -> None:
    """Add that the module ``path`` runs changed code when it is imported.

    What it binds by naming a function that may come to the changed code is changed;
    where none is named, all of it is. ``ran`` tells which of some points its import ran.
    """
    names = _above(spread, ran)
    why = f"{path} runs changed code when it is imported"
    named = [
        (key, found, binder)
        for key, found in spread.index.of_path(path)
        for binder in found.binders
        if any(_may_run(spread, path, found, binder, one) for one in names & set(binder.mentions))
    ]
    if not named or any(binder.effect for _, _, binder in named):
        spread.demand.whole.setdefault(path, why)
    for key, found, binder in named:
        told = min(binder.binds, default="it")
        spread.bound(key, found, binder, f"uses {told} of {path}, which is made by changed code")
    spread.settle()


def _may_run(spread: Spread, path: str, found: Mentions, binder: Binder, name: str) -> bool:
    """Whether a statement of a module may run what it calls ``name``.

    One that only puts it somewhere does so where it is an attribute of an object.
    """
    return name not in binder.still or any(
        way.kind == "attribute" and not spread.is_module(path, found, way.base)
        for way in binder.mentions[name]
    )


def _above(spread: Spread, ran: Ran) -> set[str]:
    """Return the names by which the code that is asked for was called, however far up.

    A method is called through its class as well, or one that is made from it. Nothing is
    returned where there are too many to follow.
    """
    index = spread.index

    def has_run(one: Caller) -> bool:
        entry = frozenset[int](), frozenset({one.function.span.start})
        keys = [(one.path, digest) for digest, _ in index.versions.get(one.path, ())]
        return any(ran(key, entry) != parts.NOWHERE for key in keys)

    names: set[str] = set()
    callers = Callers(index.mentioning, index.below)
    wanted = [item for clause in spread.demand.clauses for item in clause.wanted[0].items()]
    for key, points in wanted:
        if points is None:
            return set()
        lines = frozenset[int]().union(*ran(key, points))
        if not lines:
            continue
        above = callers.above(key, index.of(key, index.source(key)), lines, has_run)
        if len(above) >= MOST_CALLERS:
            return set()
        for path, function in above:
            names.add(function.name)
            if function.top != function.name:
                names |= {one for _, one in index.below((path, function.top))}
    return names
