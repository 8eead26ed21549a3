"""Who notices that a function takes other arguments, beside those who entered it.

Who called it as it was has entered it. A call that its signature refuses, or refused, ends in a
``TypeError``: a test that passed all the same caught it, and what catches is seen in the
lines that ran. What remains is who looks at a signature without calling: code that reads
one, and code from elsewhere that the function, or the class, is handed to.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, NamedTuple, Self

from pytest_aipipe.select import parts
from pytest_aipipe.select.following import Following, is_looked_at, naming, reading
from pytest_aipipe.select.futures import READERS, noted, runs
from pytest_aipipe.select.mentions import ARGUMENTS, CATCHERS

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_aipipe.select.index import Index, Key
    from pytest_aipipe.select.mentions import Mentions
    from pytest_aipipe.select.parts import Level, Points
    from pytest_aipipe.select.spread import Spread

CALLED = frozenset({"__init__", "__new__", "__call__"})
"""Special methods that are called with the arguments that somebody wrote."""

BARE = frozenset({"staticmethod", "classmethod", "property"})
"""Decorators that look at nothing of a function but call it."""

CATCHING = frozenset({"TypeError", "Exception", "BaseException", "object"})
"""What catches a call that a signature refuses."""

FAILING = frozenset({"xfail", "expectedFailure"})
"""Marks of tests that pass because of an error."""

LOOKING = READERS | {"__code__", "__defaults__", "__kwdefaults__", "getcallargs"}
"""Names by which a signature is read."""

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
    implicit = _is_for_a_runner(old.name) or old.name.startswith("__")
    return level.name == "module" and not implicit


def differ_in_annotations(level: Level, old: ast.stmt, new: ast.stmt) -> bool:
    """Return whether nothing but annotations differs in two versions of a function's header.

    Where they run code, or something decorates the function that may read them, it is more.
    """
    if not isinstance(old, parts.FUNCTIONS) or not isinstance(new, parts.FUNCTIONS):
        return False
    if level.name not in ("module", "class") or _is_for_a_runner(old.name):
        return False
    told = {getattr(one, "id", "?") for one in old.decorator_list}
    if not told <= (BARE if level.name == "class" else set()):
        return False
    return _without(old) == _without(new) and not (_run(old) or _run(new))


def _is_for_a_runner(name: str) -> bool:
    return name.startswith(("test", "pytest_", "setup", "teardown", "setUp", "tearDown"))


def _without(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Return what a header says, but for its annotations."""
    some = node.args
    told: list[str] = [type(node).__name__, *map(ast.dump, node.decorator_list)]
    for arguments in (some.posonlyargs, some.args, [some.vararg], some.kwonlyargs, [some.kwarg]):
        told += [one.arg if one else "-" for one in arguments] + ["|"]
    told += [ast.dump(one) if one else "-" for one in (*some.defaults, None, *some.kw_defaults)]
    return told + [ast.dump(one) for one in getattr(node, "type_params", ())]


def _run(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(runs(one) for one in noted(node))


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
    Following(spread, why, catching(spread.index, refused=refused), handed=True).of(path, name)


def add_annotated(spread: Spread, key: Key, name: str) -> None:
    """Ask for who may read other annotations of ``name`` of a file, a function or a class' method.

    Where a base, a metaclass or a decorator may have read them, all who use the class are
    asked for.
    """
    path = key[0]
    why = f"may read annotations of {name} of {path}, which changed"
    if is_looked_at(spread.index, (path, name)):
        spread.ask(path, {name}, why, wider=False)
        return
    telling = reading(spread.index, set(READERS) | {"annotation", "return_annotation"}, ARGUMENTS)
    Following(spread, why, telling, handed=True).of(path, name)


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
    return parts.joined(found, naming(there, names, telling))


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
