"""Blank lines as a person sets them: none after ``def``, one before what is asserted."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.text import test_function

if TYPE_CHECKING:
    from collections.abc import Sequence


def spaced(source: str) -> str:
    """Return a test's source with its blank lines set; its meaning is the same."""
    function = test_function(source)
    if function is None:
        return source
    lines = source.splitlines()
    edits = dict.fromkeys(_wanted(function, lines), 1)
    edits |= dict.fromkeys(_after_def(function, lines), 0)
    for number in sorted(edits, reverse=True):
        at = number - 1  # 0-based place of the line that the blank ones stand before
        start = at
        while start > 0 and not lines[start - 1].strip():
            start -= 1
        lines[start:at] = [""] * edits[number]
    return "\n".join(lines) + "\n"


def _after_def(function: ast.FunctionDef | ast.AsyncFunctionDef, lines: Sequence[str]) -> list[int]:
    """Return the first line of the body: its comments, docstring or first statement."""
    first = _first_line(function.body[0], lines)
    if first > 1 and not lines[first - 2].strip() and first - 1 > function.lineno:
        return [first]
    return []


def _wanted(function: ast.FunctionDef | ast.AsyncFunctionDef, lines: Sequence[str]) -> list[int]:
    """Return the lines that want a blank one before them."""
    found = []
    body = function.body
    for before, node in pairwise(body):
        asserted = isinstance(node, ast.Assert) and not isinstance(before, ast.Assert)
        defined = isinstance(before, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        opened = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        arranged = asserted and (len(body) > 2 or not isinstance(before, ast.Expr))  # noqa: PLR2004
        first = _first_line(node, lines)
        if (arranged or defined or opened) and first > (before.end_lineno or 0):
            found.append(first)
    return found


def _first_line(node: ast.stmt, lines: Sequence[str]) -> int:
    """Return the line of a statement, or of the decorators and comments right above it."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    while first > 1 and lines[first - 2].strip().startswith("#"):
        first -= 1
    return first
