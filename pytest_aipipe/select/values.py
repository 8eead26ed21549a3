"""Plain values of a class: which statements give it some, and who notices that one differs.

A value that is a constant, or a list, dictionary or the like, does nothing when its class is made.
It is noticed by who reads it: by its name, or by a name that is computed, or by looking
through all that the class has.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from aipipe_core.change.symbols import UnreadableSourceError, parse
from pytest_aipipe.select import parts
from pytest_aipipe.select.bases import PLAIN
from pytest_aipipe.select.demand import Clause
from pytest_aipipe.select.following import is_looked_at
from pytest_aipipe.select.lookups import add_looked_through, looking
from pytest_aipipe.select.mentions import Way

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_aipipe.select.index import Class, Index, Key
    from pytest_aipipe.select.mentions import Mentions
    from pytest_aipipe.select.parts import Level, Points
    from pytest_aipipe.select.spread import Spread

SHAPING = frozenset({"dataclass", "attrs", "attr", "define", "frozen", "mutable"})
"""Decorators for which a value of the class is a default."""

RENDERS = re.compile(
    rb"^\s*(?:from|import)\s+(?:jinja2|django|flask|quart|starlette|mako|genshi|chameleon|tornado)\b",
    re.MULTILINE,
)
"""What a file says that lets templates read the attributes of its objects."""

NAMED = frozenset({"attribute", "text"})
"""How a value of a class is named where it is read."""


def only(level: Level, old: Sequence[ast.stmt], new: Sequence[ast.stmt]) -> set[str]:
    """Return the names that these statements of a class' body bind to plain values and no else."""
    if level.name != "class" or len(level.owner) != 1:
        return set()
    plain, others = set[str](), set[str]()
    for node in (*old, *new):
        names = parts.plain(node)
        plain |= names
        others |= parts.bound(node) - names
    return plain - others


def without(names: set[str], nodes: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the statements but those that give plain values of ``names``."""
    return [node for node in nodes if not (parts.plain(node) and parts.bound(node) <= names)]


def add_value(spread: Spread, key: Key, klass: str, name: str) -> None:
    """Ask for who may notice that a class has another plain value of that name, or none.

    Where something that is not seen may read it, all who use the class are asked for.
    """
    path, one = key[0], (key[0], klass)
    if spread.is_done(path, f"{klass}.{name}"):
        return
    naming = {other: _naming(there, name) for other, there in spread.index.mentioning(name)}
    naming = {other: points for other, points in naming.items() if points != parts.NOWHERE}
    if not naming or _is_rendered(spread) or not _is_only_read(spread.index, one, name):
        spread.ask(path, {klass}, f"uses {klass} of {path}, which changed", wider=False)
        return
    why = f"uses {klass}.{name} of {path}, which changed"
    spread.touched += naming.items()
    spread.demand.clauses.append(Clause(why, [dict(naming)]))
    for other, there in spread.index.mentioning(name):
        _at_import(spread, other, there, one, name, why)
    add_looked_through(spread, one, why)
    found = looking(spread, name)
    if found:
        spread.demand.clauses.append(Clause(why, [found, spread.index.using(one)]))


def _naming(there: Mentions, name: str) -> Points:
    ways = there.lines.get(name, {})
    return parts.lines({n for way, some in ways.items() if way.kind in NAMED for n in some})


def is_shaped(there: Mentions, names: Collection[str]) -> bool:
    """Whether one of the classes ``names`` of a file is decorated by what makes it of its parts."""
    return any(SHAPING & b.mentions.keys() and not b.binds.isdisjoint(names) for b in there.binders)


def _is_rendered(spread: Spread) -> bool:
    """Whether a test can have loaded something that renders templates."""
    return any(
        path in spread.loadable and any(RENDERS.search(text) for _, text in some)
        for path, some in spread.index.versions.items()
    )


def _is_only_read(index: Index, one: Class, name: str) -> bool:
    """Whether nothing but code that names it, or looks through its class, can read the value.

    Not so where something else has a say in the class or one below it, where a runner of tests
    reads it, and where the name is also that of an argument or of another class' part: such a
    name comes to a lookup from where it stands.
    """
    if is_looked_at(index, one) or index.is_shaped(one, name):
        return False
    below = index.below(one)
    for klass in below:
        if not index.bases(klass)[1] <= PLAIN:
            return False
        for _, there in index.of_path(klass[0]):
            if any(method.startswith("test") for method in there.methods.get(klass[1], ())):
                return False
            if is_shaped(there, {klass[1]}):
                return False
    family = {*below, *(above for klass in below for above in index.bases(klass)[0])}
    return not any(
        _names_otherwise(key, index.source(key), family, name) for key, _ in index.mentioning(name)
    )


def _names_otherwise(key: Key, source: bytes, family: set[Class], name: str) -> bool:
    """Whether a file has the name for an argument, or for a part of a class not of ``family``."""
    try:
        tree = parse(source)
    except UnreadableSourceError:
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword | ast.arg) and node.arg == name:
            return True
        other = isinstance(node, ast.ClassDef) and (key[0], node.name) not in family
        if other and any(name in parts.bound(one) for one in getattr(node, "body", ())):
            return True
    return False


def _at_import(
    spread: Spread, key: Key, there: Mentions, one: Class, name: str, why: str
) -> None:  # fmt: skip
    """Spread to what a statement that runs at import makes of the value."""
    path, klass = one
    for binder in there.binders:
        mine = key[0] == path and binder.binds == {klass}
        ways = binder.mentions.get(name, set())
        if mine and name in binder.values and ways <= {Way("name")}:
            continue  # it is what gives the value
        if any(_may_mean(spread, key, there, way, mine=mine) for way in ways):
            if binder.effect and not mine:
                spread.demand.whole.setdefault(key[0], f"{key[0]} {why}")
            spread.bound(key, there, binder, why)


def _may_mean(spread: Spread, key: Key, there: Mentions, way: Way, *, mine: bool) -> bool:
    if way.kind == "name":
        return mine
    if way.kind == "attribute":
        return not spread.is_module(key[0], there, way.base)
    return way.kind == "text"
