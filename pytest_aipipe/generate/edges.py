"""Inputs on the edge of a comparison: one literal of a test moved to the other operand.

A fault in a comparison (``<`` for ``<=``, a constant off by one) shows where the operands are
equal or differ by one. What the operands were is seen while a test runs; where one of them is
a literal of the test, or the length of one, that literal can be moved.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax
from pytest_aipipe.assertions.text import test_function

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.generate.model import Candidate, Comparison

TECHNIQUE = "edge"
MOST = 24
LONGEST = 300
_NOTHING = object()
_KINDS = (int, float, str, bytes, list, tuple)


def edges(candidate: Candidate, seen: Sequence[Comparison]) -> list[Candidate]:
    """Return variants of ``candidate`` that bring the operands of ``seen`` together, in order.

    The last are those in which a default takes the place of an argument.
    """
    function = test_function(candidate.function)
    if function is None:
        return []
    literals = [
        (node, value)
        for statement in function.body
        if not isinstance(statement, ast.Assert)
        for node, value in literals_of(statement)
    ]
    found: dict[str, Candidate] = {}
    for comparison in seen:
        for new, node in _moves(comparison, literals):
            source = swapped(candidate.function, node, repr(new))
            if source is not None and source != candidate.function:
                made = replace(candidate, technique=TECHNIQUE, function=source, note="an edge")
                found.setdefault(source, made)
            if len(found) >= MOST:
                return list(found.values())
    for source in _with_defaults(candidate.function, function.body[-1]):
        found.setdefault(
            source, replace(candidate, technique=TECHNIQUE, function=source, note="a default")
        )
    return list(found.values())


def _with_defaults(source: str, last: ast.stmt) -> Iterator[str]:
    """Return the test with one optional argument less in its last call, for each there may be."""
    value = getattr(last, "value", None)
    if not isinstance(value, ast.Call) or value.lineno != value.end_lineno:
        return
    for number in range(len(value.keywords)):
        kept = [*value.keywords[:number], *value.keywords[number + 1 :]]
        yield from _called(source, value, value.args, kept)
    if len(value.args) > 1:
        yield from _called(source, value, value.args[:-1], value.keywords)


def _called(
    source: str, call: ast.Call, args: list[ast.expr], keywords: list[ast.keyword]
) -> Iterator[str]:
    lines = source.splitlines(keepends=True)
    line = lines[call.lineno - 1].encode()
    new = ast.unparse(ast.Call(call.func, args, keywords))
    made = line[: call.col_offset] + new.encode() + line[call.end_col_offset :]
    lines[call.lineno - 1] = made.decode()
    yield "".join(lines)


def literals_of(
    statement: ast.stmt, kinds: tuple[type, ...] = _KINDS
) -> Iterator[tuple[ast.expr, Any]]:
    """Return the outermost literals of a statement with their values, those of these kinds."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop(0)
        value = _value(node) if isinstance(node, ast.expr) else _NOTHING
        if isinstance(node, ast.expr) and type(value) in kinds:
            yield node, value
        if isinstance(node, ast.JoinedStr) or isinstance(value, str | bytes):
            continue
        todo += ast.iter_child_nodes(node)


def _value(node: ast.expr) -> Any:
    if not isinstance(node, ast.Constant | ast.UnaryOp | ast.List | ast.Tuple):
        return _NOTHING
    try:
        return syntax.literal(node)
    except (ValueError, TypeError):
        return _NOTHING


def _moves(
    comparison: Comparison, literals: Sequence[tuple[ast.expr, Any]]
) -> Iterator[tuple[Any, ast.expr]]:
    left, right = _read(comparison.left), _read(comparison.right)
    for mine, other in ((left, right), (right, left)):
        if type(mine) not in _KINDS or type(other) not in _KINDS:
            continue
        for node, value in literals:
            if type(value) is type(mine) and value == mine:
                for new in _near(other):
                    yield new, node
            elif (
                isinstance(value, str | bytes | list | tuple)
                and type(mine) is int
                and type(other) is int
                and len(value) == mine
            ):
                for size in (other, other + 1, other - 1):
                    if 0 <= size <= LONGEST and (value or not size):
                        yield resized(value, size), node


def _near(value: Any) -> list[Any]:
    return [value, value + 1, value - 1] if isinstance(value, int | float) else [value]


def resized(value: Any, size: int) -> Any:
    """Return a text, list or tuple cut, or repeated, to ``size``."""
    return (value * (size // len(value) + 1))[:size] if value else value


def _read(source: str | None) -> Any:
    try:
        return syntax.literal(source) if source else _NOTHING
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NOTHING


def swapped(source: str, node: ast.expr, new: str) -> str | None:
    """Return ``source`` with ``new`` for the text of ``node``; None where that has many lines."""
    if node.lineno != node.end_lineno:
        return None
    lines = source.splitlines(keepends=True)
    line = lines[node.lineno - 1].encode()
    made = line[: node.col_offset] + new.encode() + line[node.end_col_offset :]
    lines[node.lineno - 1] = made.decode()
    return "".join(lines)
