"""The symbols of a Python file, and which of them a line belongs to."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from aipipe_core import syntax
from aipipe_core.change.model import Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MODULE = "<module>"


@lru_cache(maxsize=64)  # asked for each of many candidates
def symbols_of(source: str) -> tuple[Symbol, ...]:
    """Return every function and class of ``source``; () when it cannot be parsed."""
    try:
        tree = syntax.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    return tuple(_within(tree, ""))


def symbol_at(symbols: Sequence[Symbol], line: int) -> str:
    """Return the qualified name of the innermost symbol that holds ``line``."""
    holding = [symbol for symbol in symbols if symbol.start <= line <= symbol.end]
    if not holding:
        return MODULE
    return min(holding, key=lambda symbol: (symbol.end - symbol.start, -symbol.start)).qualname


def _within(node: ast.AST, prefix: str) -> Iterator[Symbol]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = prefix + child.name
            start = min([child.lineno, *(d.lineno for d in child.decorator_list)])
            yield Symbol(name, _kind(child), start, child.end_lineno or child.lineno)
            yield from _within(child, f"{name}.")
        else:
            yield from _within(child, prefix)


def _kind(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    match node:
        case ast.ClassDef():
            return "class"
        case ast.AsyncFunctionDef():
            return "async function"
        case _:
            return "function"
