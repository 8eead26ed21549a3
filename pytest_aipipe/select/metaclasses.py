"""What metaclasses look through: the classes that they make, and the bases of these.

A metaclass reads its class' attributes by names that it computes. A class that it has not made,
and that is no base of one, is not among what it reads so.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Function = ast.FunctionDef | ast.AsyncFunctionDef

METACLASSES = frozenset({"type", "ABCMeta", "EnumMeta", "EnumType"})
_SEQUENCES = frozenset({"reversed", "tuple", "list", "iter"})
_OWN = frozenset({"__mro__", "__bases__", "__base__"})
_CALLED = frozenset({"mro", "__subclasses__"})


class Own:
    """Tells of a file's expressions whether they are a class that a metaclass of it has made.

    Or several such: its bases, what stands in its ``__mro__``.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._nodes: set[int] = set()
        functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
        self._calls: dict[str, list[ast.Call]] = {}
        self._named: dict[str, int] = {}
        methods = [
            one
            for klass in _metaclasses(tree)
            for one in klass.body
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        if methods:
            self._count(tree, functions)
        for one in methods:
            self._follow(one, _given(one))
        helpers = True
        while methods and helpers:
            helpers = False
            for one in list(functions.values()):
                names = self._passed(one)
                if names:
                    del functions[one.name]
                    self._follow(one, names)
                    helpers = True

    def __contains__(self, node: object) -> bool:
        """Whether ``node``, an expression, is such a class."""
        return id(node) in self._nodes

    def _count(self, tree: ast.Module, functions: Iterable[str]) -> None:
        """Note where functions of the module are called, and how often they are named."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                self._calls.setdefault(node.func.id, []).append(node)
            if isinstance(node, ast.Name) and node.id in functions:
                self._named[node.id] = self._named.get(node.id, 0) + 1

    def _passed(self, function: Function) -> set[str]:
        """Return the arguments that are such classes in each call: a private helper's."""
        calls = self._calls.get(function.name, [])
        private = function.name.startswith("_")
        if not private or not calls or self._named.get(function.name) != len(calls):
            return set()
        names = [one.arg for one in function.args.args]
        return {
            name
            for at, name in enumerate(names)
            if all(len(call.args) > at and call.args[at] in self for call in calls)
        }

    def _follow(self, function: Function, given: set[str]) -> None:
        """Mark what is such a class in a function of which the arguments ``given`` are."""
        bound: dict[str, list[ast.expr | None]] = {}
        for name, value in _bound(function):
            bound.setdefault(name, []).append(value)
        names, size = set(given), -1
        while len(names) > size:
            size = len(names)
            names |= {name for name, some in bound.items() if all(_is(v, names) for v in some)}
        sound = all(_is(value, names) for name in names for value in bound.get(name, ()))
        if not sound or names & _inner(function):
            return
        self._nodes |= {
            id(node)
            for node in ast.walk(function)
            if isinstance(node, ast.expr) and _is(node, names)
        }


def _metaclasses(tree: ast.Module) -> Iterator[ast.ClassDef]:
    known = set(METACLASSES)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = {getattr(one, "id", getattr(one, "attr", "")) for one in node.bases}
            if bases & known:
                known.add(node.name)
                yield node


def _given(function: Function) -> set[str]:
    """Return the arguments of a metaclass' method that are classes which it makes."""
    if any(getattr(one, "id", "") == "staticmethod" for one in function.decorator_list):
        return set()
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    found = set(names[:1])
    return found | set(names[2:3]) if function.name in ("__new__", "__init__") else found


def _bound(function: Function) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield what names are bound to; None for what is not an expression that can be told."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case (
                ast.For(target=ast.Name(id=name), iter=value)
                | ast.comprehension(target=ast.Name(id=name), iter=value)
            ):
                yield name, value
            case _:
                yield from ((name, None) for name in _stored(node))


def _inner(function: Function) -> set[str]:
    """Return the arguments of functions inside a function."""
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return {
        one.arg
        for node in ast.walk(function)
        if isinstance(node, inner) and node is not function
        for one in ast.walk(node.args)
        if isinstance(one, ast.arg)
    }


def _stored(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement binds in a way of its own."""
    match node:
        case ast.Assign(targets=some):
            targets = list(some)
        case ast.For(target=one) | ast.AsyncFor(target=one) | ast.comprehension(target=one):
            targets = [one]
        case ast.AugAssign(target=one) | ast.NamedExpr(target=one):
            targets = [one]
        case ast.withitem(optional_vars=ast.expr() as one):
            targets = [one]
        case ast.ExceptHandler(name=str(name)):
            yield name
            return
        case _:
            return
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def _is(node: ast.expr | None, names: set[str]) -> bool:
    """Whether an expression is such a class, or several, where ``names`` are."""
    match node:
        case ast.Name(id=name):
            return name in names
        case ast.Attribute(value=value, attr=attr):
            return attr in _OWN and _is(value, names)
        case ast.Subscript(value=value):
            return _is(value, names)
        case ast.Call(func=ast.Attribute(attr="__new__", value=ast.Call(func=ast.Name(id=name)))):
            return name == "super"
        case ast.Call(func=ast.Attribute(attr="__new__", value=ast.Name(id=name))):
            return name == "type"
        case ast.Call(func=ast.Attribute(attr=attr, value=value), args=[]):
            return attr in _CALLED and _is(value, names)
        case ast.Call(func=ast.Attribute(attr="getmro"), args=[one]):
            return _is(one, names)
        case ast.Call(func=ast.Name(id=name), args=[one]):
            return name in _SEQUENCES | {"getmro"} and _is(one, names)
        case _:
            return False
