"""What a statement asks of what it looks at: of an object all it has, of a signature the names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ALL = frozenset({"globals", "vars", "dir", "getmembers", "__dict__", "__subclasses__"})
"""Names by which code looks through all that a module, a class or an object has."""


def are_objects(looked: Iterable[ast.expr | None]) -> bool:
    """Whether all that is looked through is what a method is called on, or a class: no module."""
    return all(one is not None and _is_object(one) for one in looked)


def _is_object(node: ast.expr) -> bool:
    match node:
        case ast.Name(id="self" | "cls"):
            return True
        case ast.Attribute(value=value, attr="__class__"):
            return _is_object(value)
        case ast.Call(func=ast.Name(id="type"), args=[_]):
            return True
        case _:
            return False


def looked_through(nodes: Iterable[ast.AST]) -> Iterator[ast.expr | None]:
    """Yield what is looked through, None for what cannot be told."""
    called: set[int] = set()
    for node in (one for top in nodes for one in ast.walk(top)):  # a call before what it calls
        if isinstance(node, ast.Call) and _said(node.func) in ALL - {"__dict__", "__subclasses__"}:
            called.add(id(node.func))
            yield node.args[0] if node.args else None
        elif isinstance(node, ast.Attribute) and node.attr == "__dict__":
            yield node.value
        elif isinstance(node, ast.expr) and _said(node) in ALL and id(node) not in called:
            yield None


def asks_for_arguments(nodes: Iterable[ast.AST]) -> bool:
    """Whether no signature here is asked for more than how the arguments are called."""
    every = [one for top in nodes for one in ast.walk(top)]
    named = [one for one in every if isinstance(one, ast.expr) and _said(one) == "signature"]
    asked: list[ast.expr] = []
    for node in every:
        match node:
            case ast.Call(func=ast.Attribute(attr="keys", value=value)):
                asked.append(value)
            case ast.Call(func=ast.Name(id="list" | "tuple" | "set" | "len"), args=[value]):
                asked.append(value)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[value]):
                asked.append(value)
            case _:
                pass
    names = [
        one.value.func
        for one in asked
        if isinstance(one, ast.Attribute)
        and one.attr == "parameters"
        and isinstance(one.value, ast.Call)
    ]
    return all(any(one is name for name in names) for one in named)


def _said(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))
