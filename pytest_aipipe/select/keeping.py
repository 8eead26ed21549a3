"""Functions that keep what they once made: told by their text.

A result that is kept where it outlives the call is made in the first test that asks, and the
others never run what made it.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

KEEPER = re.compile("cache|memo|once|singleton", re.IGNORECASE)
"""Decorators named so return what they returned before."""

KEEPING = (b"cache", b"Cache", b"memo", b"Memo", b"once", b"singleton", b"Singleton", b"global ",
           b" in ", b"is None", b"setdefault(", b"hasattr(", b"if not ", b".get(", b"except",
           b" or ")  # fmt: skip
"""A file in which none of these stands keeps nothing that we could tell."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Kept(NamedTuple):
    """What a function remembers: the names that it calls to make it, and on which lines."""

    calls: frozenset[str] = frozenset()
    lines: frozenset[int] = frozenset()


def kept(node: _Function) -> Kept:
    """Return what a function stores where it looks first; nothing of others.

    It asks for an attribute of its object, or for something from outside of it, and stores
    there what a call returned: ``if key not in self.known: self.known[key] = make(key)``.
    """
    stores = [(place, value, name) for place, value in _stores(node) if (name := _root(place))]
    if not stores:
        return Kept()
    own, made = _local(node) - {"self", "cls"}, _made(node)
    found: list[ast.expr] = []
    for place, value, name in stores:
        from_names = [made[one.id] for one in ast.walk(value) if _is_of(one, made)]
        values = [value, *(one for some in from_names for one in some)]
        if name not in own and any(map(_calls, values)) and _is_asked(node, place):
            found += values
    names = {name for one in found for name in _calls(one)}
    lines = {n for one in found for n in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
    return Kept(frozenset(names), frozenset(lines))


def _is_of(node: ast.AST, made: dict[str, list[ast.expr]]) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id in made


def _stores(node: _Function) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what a function stores: the attribute or container, and the value."""
    for one in ast.walk(node):
        match one:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _place(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from _place(target, value)
            case ast.Call(func=ast.Attribute(value=place, attr="setdefault"), args=[_, value]):
                yield place, value
            case _:
                pass


def _place(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Subscript):
        yield target.value, value
    elif isinstance(target, ast.Attribute):
        yield target, value


def _root(place: ast.expr) -> str | None:
    while isinstance(place, ast.Attribute | ast.Subscript | ast.Call):
        place = place.func if isinstance(place, ast.Call) else place.value
    return place.id if isinstance(place, ast.Name) else None


def _local(node: _Function) -> set[str]:
    """Return the names that are a function's own."""
    some = node.args
    every = (*some.posonlyargs, *some.args, *some.kwonlyargs, some.vararg, some.kwarg)
    stored = {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    return {one.arg for one in every if one is not None} | stored


def _made(node: _Function) -> dict[str, list[ast.expr]]:
    """Return what calls returned that a function assigns to names, by these."""
    found: dict[str, list[ast.expr]] = {}
    for one in ast.walk(node):
        if isinstance(one, ast.Assign) and _calls(one.value):
            for target in one.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(one.value)
    return found


def _calls(value: ast.expr) -> set[str]:
    """Return the last names of what an expression calls, "" for what has none."""
    calls = [one.func for one in ast.walk(value) if isinstance(one, ast.Call)]
    return {str(getattr(one, "attr", getattr(one, "id", ""))) for one in calls}


def _is_asked(node: _Function, place: ast.expr) -> bool:
    """Whether a function decides by what is in ``place``."""
    wanted = ast.unparse(place)
    name = place.attr if isinstance(place, ast.Attribute) else ""
    return any(_holds(one, wanted, name) for one in _questions(node))


def _questions(node: _Function) -> Iterator[ast.AST]:
    for one in ast.walk(node):
        match one:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                yield test
            case ast.BoolOp() | ast.Compare() | ast.NamedExpr():
                yield one
            case ast.Try(body=body):
                yield from body
            case ast.Call(func=ast.Attribute(attr="get" | "setdefault")):
                yield one.func
            case ast.Call(func=ast.Name(id="getattr" | "hasattr")):
                yield one
            case _:
                pass


def _holds(question: ast.AST, wanted: str, name: str) -> bool:
    for one in ast.walk(question):
        if isinstance(one, ast.Constant) and name and one.value == name:
            return True
        if (
            isinstance(one, ast.Attribute | ast.Name | ast.Subscript)
            and isinstance(one.ctx, ast.Load)
            and ast.unparse(one) == wanted
        ):
            return True
    return False
