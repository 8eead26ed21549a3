"""What a statement asks of what it looks at: of an object all it has, of a signature the names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ALL = frozenset({"globals", "vars", "dir", "getmembers", "__dict__", "__subclasses__"})
"""Names by which code looks through all that a module, a class or an object has."""

CHANGING = frozenset({"setdefault", "update", "pop", "popitem", "clear"})
"""What is called of a dictionary to change it: that of a class cannot be changed."""


class Look(NamedTuple):
    """Looking through something: the name ``by`` which, and at what; None where it is not told.

    ``changes`` says that it puts something there, or takes it away, as nobody can in a class.
    """

    by: str
    at: ast.expr | None
    changes: bool = False

    @property
    def is_at_an_instance(self) -> bool:
        """Whether it comes to what an object has of its own, and to nothing of its class."""
        own = isinstance(self.at, ast.Name) and self.at.id == "self"
        return self.changes or (own and self.by in ("vars", "__dict__"))

    @property
    def is_at_a_variable(self) -> bool:
        """Whether it comes to what a variable has of its own: most often of an instance."""
        if self.by not in ("vars", "__dict__") or not isinstance(self.at, ast.Name | ast.Attribute):
            return False
        name = _said(self.at)
        return name not in ("cls", "__class__") and not name[:1].isupper()

    @property
    def is_at_no_module(self) -> bool:
        """Whether it is at what a method is called on, or at a class."""
        return self.at is not None and _is_object(self.at)


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


def looks(nodes: Iterable[ast.AST]) -> Iterator[Look]:
    """Yield where ``nodes`` look through something."""
    called: set[int] = set()
    changed: set[int] = set()
    for node in (one for top in nodes for one in ast.walk(top)):  # a call before what it calls
        if isinstance(node, ast.Call) and _said(node.func) in ALL - {"__dict__", "__subclasses__"}:
            called.add(id(node.func))
            yield Look(_said(node.func), node.args[0] if node.args else None)
            continue
        if isinstance(node, ast.Call) and _said(node.func) in CHANGING:
            changed.add(id(getattr(node.func, "value", None)))
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            changed.add(id(node.value))
        if isinstance(node, ast.Attribute) and node.attr == "__dict__":
            changes = id(node) in changed or not isinstance(node.ctx, ast.Load)
            yield Look(node.attr, node.value, changes)
        elif isinstance(node, ast.expr) and _said(node) in ALL and id(node) not in called:
            yield Look(_said(node), None)


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
