"""What a file hands to the calls that it makes: names that stand among their arguments."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from aipipe_core.change.symbols import UnreadableSourceError, parse
from pytest_aipipe.select import parts
from pytest_aipipe.select.futures import BLIND_DECORATORS
from pytest_aipipe.select.parts import Block, Level
from pytest_aipipe.select.reader import last, outer

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class Handing(NamedTuple):
    """A call of something ``called`` so, the ``names`` that it is given, and its statement.

    Of that the ``lines``, or where it runs at import what it ``binds``.
    """

    called: str
    names: frozenset[str]
    lines: frozenset[int]
    binds: frozenset[str]


def handings(source: bytes) -> Iterator[Handing]:
    """Yield the calls of a file that are given names; not those of :data:`BLIND` ones.

    What cannot be read cannot be run either, and hands on nothing.
    """
    try:
        tree = parse(source)
    except UnreadableSourceError:
        return
    for block in parts.blocks(Block(tree.body, Level("module"))):
        for node in block.body:
            lines, binds = frozenset[int](), frozenset[str]()
            if not block.level.at_import:
                lines = frozenset(parts.header(node))
            elif block.level.owner:
                binds = frozenset({block.level.owner[0]})
            else:
                binds = frozenset(parts.bound(node))
            for called, names in _calls(node):
                yield Handing(called, names, lines, binds)


def _calls(node: ast.stmt) -> Iterator[tuple[str, frozenset[str]]]:
    for call in (one for top in outer(node) for one in ast.walk(top)):
        if not isinstance(call, ast.Call):
            continue
        called = last(call.func)
        values = [*call.args, *(one.value for one in call.keywords)]
        names = frozenset(name for value in values for name in _standing(value))
        if names and called not in BLIND:
            yield called, names


def _standing(node: ast.expr) -> Iterator[str]:
    """Yield the names that are given themselves, alone or in a list; not what is called."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Call():
            return
        case _:
            for one in ast.iter_child_nodes(node):
                if isinstance(one, ast.expr):
                    yield from _standing(one)
