"""Who notices that a function takes other arguments, beside those who entered it.

Who called it as it was has entered it. A call that its signature refuses, or refused, ends in a
``TypeError``: a test that passed all the same caught it, and what catches is seen in the
lines that ran. What remains is who looks at a signature without calling: code that reads
one, and code from elsewhere that the function, or the class, is handed to.
"""

from __future__ import annotations

import ast
import builtins
import re
from typing import TYPE_CHECKING, NamedTuple, Self

from aipipe_core.change.symbols import parse
from pytest_aipipe.select import parts
from pytest_aipipe.select.bases import PLAIN, TEST_CASES
from pytest_aipipe.select.demand import Clause
from pytest_aipipe.select.futures import BLIND_DECORATORS, READERS
from pytest_aipipe.select.mentions import CATCHERS, last, outer
from pytest_aipipe.select.parts import Block, Level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pytest_aipipe.select.index import Index, Key
    from pytest_aipipe.select.mentions import Mentions
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.spread import Spread

CALLED = frozenset({"__init__", "__new__", "__call__"})
"""Special methods that are called with the arguments that somebody wrote."""

CATCHING = frozenset({"TypeError", "Exception", "BaseException", "object"})
"""What catches a call that a signature refuses."""

FAILING = frozenset({"xfail", "expectedFailure"})
"""Marks of tests that pass because of an error."""

LOOKING = READERS | {"__code__", "__defaults__", "__kwdefaults__", "getcallargs", "get_func_args"}
"""Names by which a signature is read."""

TEXTS = frozenset({"__doc__", "getdoc", "pydoc"})
"""Names by which a text is read that describes a function or a class."""

BLIND = frozenset(
    {"isinstance", "issubclass", "cast", "type", "super", "id", "list", "tuple", "set", "dict"}
    | {"frozenset", "len", "print", "repr", "str", "iter", "enumerate", "zip", "sorted", "map"}
    | {"filter", "partial", "setattr", "getattr", "hasattr", "raises", "assertRaises", "append"}
    | {"extend", "add", "insert", "update", "setdefault", "get", "pop", "index", "remove", "vars"}
    | {"assertIs", "assertIsInstance", "assertEqual", "assertNotEqual", "assertIsNot", "assertIn"}
    | {"param"}
    | BLIND_DECORATORS
    | {"assertRaisesRegex", "assertNotIsInstance", "assertTrue", "assertFalse", "Thread", "submit"}
)
"""Callables from elsewhere that read no signature of what they are given."""

ANY_CALL = ""
"""Stands for a call that needs no keyword of the new signature."""

_ERRORS = ("Error", "Exception", "Warning", "Exit", "Interrupt", "Failed")


def differ(level: Level, old: ast.stmt, new: ast.stmt) -> bool:
    """Return whether two versions of a definition are one function that takes other arguments.

    Functions that something decorates, or that are called by their name alone (a test, a
    special method but :data:`CALLED`), are not; and of a class' methods only the special ones.
    """
    if not isinstance(old, parts.FUNCTIONS) or not isinstance(new, parts.FUNCTIONS):
        return False
    if isinstance(old, ast.FunctionDef) is not isinstance(new, ast.FunctionDef):
        return False
    if old.decorator_list or new.decorator_list:
        return False
    if level.name == "class":
        return old.name in CALLED
    implicit = old.name.startswith(("test", "pytest_", "setup", "teardown", "__"))
    return level.name == "module" and not implicit and old.name != "setUpModule"


def words(old: ast.stmt, new: ast.stmt) -> frozenset[str]:
    """Return the keywords without which no call is taken now that was refused before.

    :data:`ANY_CALL` stands for calls that need no new keyword: of other numbers of arguments, or
    without one that had to be there.
    """
    if not isinstance(old, parts.FUNCTIONS) or not isinstance(new, parts.FUNCTIONS):
        return frozenset({ANY_CALL})
    before, after = old.args, new.args
    mine, theirs = _Taken.of(before), _Taken.of(after)
    found = set() if before.kwarg else theirs.keywords - mine.keywords
    if after.kwarg and not before.kwarg:
        return frozenset({ANY_CALL})
    more = theirs.most > mine.most or (after.vararg and not before.vararg)
    if more and not before.vararg:
        return frozenset({ANY_CALL})
    if not mine.required <= theirs.required or theirs.least < mine.least:
        return frozenset({ANY_CALL})
    return frozenset(found)


class _Taken(NamedTuple):
    """What a signature takes: numbers of positions, keywords, and those that have to be there."""

    least: int
    most: int
    keywords: frozenset[str]
    required: frozenset[str]

    @classmethod
    def of(cls, some: ast.arguments) -> Self:
        places = [*some.posonlyargs, *some.args]
        least = len(places) - len(some.defaults)
        only = zip(some.kwonlyargs, some.kw_defaults, strict=True)
        names = {one.arg for one in (*some.args, *some.kwonlyargs)}
        needed = {one.arg for one, default in only if default is None}
        needed |= {one.arg for one in some.args if one in places[:least]}
        return cls(least, len(places), frozenset(names), frozenset(needed))


def add_signed(spread: Spread, key: Key, name: str, needed: Collection[str]) -> None:
    """Ask for who may notice that ``name`` of a file, a function or a class, takes other arguments.

    ``needed`` are the :func:`words` of the difference. Where a base, a metaclass or a decorator
    may have looked at the class, all who use it are asked for.
    """
    path = key[0]
    why = f"uses {name} of {path}, which takes other arguments"
    if is_looked_at(spread.index, (path, name)):
        spread.ask(path, {name}, why, wider=False)
        return
    texts = [text for some in spread.index.versions.values() for _, text in some]
    refused = any(one == ANY_CALL or any(one.encode() in t for t in texts) for one in needed)
    _Signed(spread, why, catching(spread.index, refused=refused), handed=True).of(path, name)


def add_described(spread: Spread, key: Key, name: str) -> None:
    """Ask for who may notice that another text describes ``name`` of a file.

    It takes code that reads such texts, and to use the name. Where a base, a metaclass or a
    decorator may have read the class', all who use it are asked for.
    """
    path = key[0]
    why = f"may read the text of {name} of {path}, which changed"
    if is_looked_at(spread.index, (path, name)):
        spread.ask(path, {name}, why, wider=False)
        return
    reading: dict[Key, Points | None] = {}
    for where in spread.index.versions:
        for one, there in spread.index.of_path(where):
            points = _naming(there, set(TEXTS), TEXTS) if there.readable else None
            if points != parts.NOWHERE:
                reading[one] = points
    _Signed(spread, why, reading, handed=False).of(path, name)


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


class _Signed:
    """Follows a name to where it is used; what is bound from it stands for it as well."""

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
        yield from ((key[0], name) for key, _ in self._spread.starred(path))
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
        source = self._index.source(key)
        if not re.search(rb"\b" + re.escape(name.encode()) + rb"\s*[,)\]}]", source):
            return parts.NOWHERE, frozenset()
        for block in parts.blocks(Block(parse(source).body, Level("module"))):
            for node in block.body:
                if not any(self._is_given(one, name) for one in outer(node)):
                    continue
                if block.level.at_import:
                    given |= {block.level.owner[0]} if block.level.owner else parts.bound(node)
                else:
                    lines.update(parts.header(node))
        if not lines and not given:
            return parts.NOWHERE, frozenset()
        means = self._spread.points(key[0], found, path, name)
        return parts.lines(lines & (means[0] | {-n for n in means[1]})), frozenset(given)

    def _is_given(self, node: ast.AST, name: str) -> bool:
        """Whether ``name`` itself is an argument of a call of something from elsewhere."""
        for call in ast.walk(node):
            if not isinstance(call, ast.Call):
                continue
            called = last(call.func)
            if called in BLIND or called == name or self._is_ours(called):
                continue
            values = [*call.args, *(one.value for one in call.keywords)]
            if any(_stands(value, name) for value in values):
                return True
        return False

    def _is_ours(self, called: str) -> bool:
        """Whether the project defines something of that name."""
        return any(
            called in there.bases or any(one.name == called for one in there.functions)
            for _, there in self._index.mentioning(called)
        )


def _stands(node: ast.expr, name: str) -> bool:
    """Whether ``name`` is what is given, alone or in a list of things, and not just called."""
    match node:
        case ast.Name(id=said):
            return said == name
        case ast.Attribute(attr=said):
            return said == name
        case ast.Call():
            return False
        case _:
            some = ast.iter_child_nodes(node)
            return any(_stands(one, name) for one in some if isinstance(one, ast.expr))


def catching(index: Index, *, refused: bool) -> dict[Key, Points | None]:
    """Return where a signature may be read: points by version of file.

    With ``refused`` also where a refused call may be caught; of an ``except`` it is the line
    itself, which runs only when an error has come to it.
    """
    found: dict[Key, Points | None] = {}
    for path in index.versions:
        for key, there in index.of_path(path):
            points = _catching(there, index, refused=refused) if there.readable else None
            if points != parts.NOWHERE:
                found[key] = points
    return found


def _catching(there: Mentions, index: Index, *, refused: bool) -> Points:
    numbers = {
        line
        for name, lines in there.catches.items()
        if refused and _may_stand_for_one(name, index)
        for line in lines
    }
    found = parts.lines(numbers)
    names = set(LOOKING | FAILING) if refused else set(LOOKING)
    telling = names | CATCHING | CATCHERS if refused else names
    return parts.joined(found, _naming(there, names, telling))


def _naming(there: Mentions, names: set[str], telling: Collection[str]) -> Points:
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


def _may_stand_for_one(name: str, index: Index) -> bool:
    """Whether what is caught by ``name`` may be a TypeError.

    Built-in errors tell that themselves; a class of the project, or one from elsewhere that is
    called an error, is none of its bases.
    """
    if name in CATCHING:
        return True
    if isinstance(getattr(builtins, name, None), type) or name.endswith(_ERRORS):
        return False
    return not any(name in there.bases for _, there in index.mentioning(name))
