"""Edits of a test function as text, by the places that its syntax tree gives.

Text and not tree, so that comments, quotes and line breaks of an amplified test stay as
its author wrote them. Lines are 1-based and relative to the function's own text.
"""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the test: its node, and the block (a list of statements) it stands in."""

    node: ast.stmt
    block: Sequence[ast.stmt]

    @property
    def start(self) -> int:
        """The first line, decorators included."""
        decorators: list[ast.expr] = getattr(self.node, "decorator_list", [])
        return min([self.node.lineno, *[one.lineno for one in decorators]])

    @property
    def end(self) -> int:
        """The last line."""
        return self.node.end_lineno or self.node.lineno


def test_function(source: str) -> FunctionNode | None:
    """Return the test function of ``source``, or the one test method of its class."""
    try:
        tree = syntax.parse(source)
    except (SyntaxError, ValueError):
        return None
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return node
        if isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, FunctionNode)]
            tests = [one for one in methods if one.name.startswith("test")]
            return tests[-1] if tests else None
    return None


def is_class(source: str) -> bool:
    """Return whether the candidate is a class with a test method."""
    return any(isinstance(node, ast.ClassDef) for node in syntax.parse(source).body)


def statements(source: str) -> list[Statement]:
    """Return the test's statements, outer before inner, without its docstring."""
    function = test_function(source)
    return list(_walk(function.body)) if function else []


def _walk(block: Sequence[ast.stmt]) -> Iterator[Statement]:
    for node in block:
        yield Statement(node, block)
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, None)
            if inner and not isinstance(node, FunctionNode | ast.ClassDef):
                yield from _walk(inner)


def indent_of(source: str, line: int) -> str:
    """Return the white space before a line's text."""
    text = source.splitlines()[line - 1]
    return text[: len(text) - len(text.lstrip())]


def replace(source: str, start: int, end: int, new: str) -> str:
    """Return ``source`` with its lines ``start`` to ``end`` replaced; an empty ``new`` deletes."""
    lines = source.splitlines()
    lines[start - 1 : end] = new.splitlines()
    return "\n".join(lines) + "\n"


def delete(source: str, wanted: Sequence[Statement]) -> str | None:
    """Return ``source`` without ``wanted``, or None where a block would be left empty."""
    gone = {id(one.node) for one in wanted}
    outer = [one for one in wanted if not any(_holds(other, one) for other in wanted)]
    for one in outer:
        if all(id(other) in gone for other in one.block):
            return None
    for one in sorted(outer, key=lambda s: -s.start):
        if _shares_line(source, one):
            return None
        source = replace(source, one.start, one.end, "")
    return source if test_function(source) else None


def _holds(outer: Statement, inner: Statement) -> bool:
    """Whether ``inner`` stands in a block of ``outer`` and goes with it."""
    return outer is not inner and outer.start <= inner.start and inner.end <= outer.end


def _shares_line(source: str, one: Statement) -> bool:
    """Whether another statement stands on the same line (``a; b``, ``if a: b``)."""
    lines = source.splitlines()
    before = lines[one.start - 1][: one.node.col_offset if not _decorated(one) else 0]
    after = lines[one.end - 1].encode()[one.node.end_col_offset or 0 :].decode(errors="replace")
    return bool(before.strip()) or after.strip().startswith(";")


def _decorated(one: Statement) -> bool:
    return bool(getattr(one.node, "decorator_list", ()))


def wrap(source: str, one: Statement, header: str) -> str:
    """Return ``source`` with the statement put into the block that ``header`` opens."""
    lines = source.splitlines()[one.start - 1 : one.end]
    indent = indent_of(source, one.start)
    body = textwrap.indent("\n".join(lines), "    ")
    return replace(source, one.start, one.end, f"{indent}{header}\n{body}")


def unwrap(source: str, one: Statement) -> str | None:
    """Return ``source`` with the body of a compound statement in its place."""
    body = getattr(one.node, "body", None)
    if not body or body[0].lineno == one.node.lineno:
        return None
    first = body[0]
    lines = source.splitlines()[first.lineno - 1 : one.end]
    indent = indent_of(source, one.start)
    moved = textwrap.indent(textwrap.dedent("\n".join(lines)), indent)
    return replace(source, one.start, one.end, moved)


def append(source: str, new: Sequence[str]) -> str:
    """Return ``source`` with statements added at the end of the test function."""
    function = test_function(source)
    if function is None or not new:
        return source
    last = function.body[-1]
    indent = indent_of(source, function.body[0].lineno)
    text = "\n".join(textwrap.indent(one, indent) for one in new)
    end = last.end_lineno or last.lineno
    return replace(source, end + 1, end, text)


def add_argument(source: str, name: str) -> str | None:
    """Return ``source`` with one more fixture asked for, or None where it cannot be told how."""
    function = test_function(source)
    if function is None or any(one.arg == name for one in function.args.args):
        return None
    lines = source.splitlines()
    head = lines[function.lineno - 1]
    opening = f"def {function.name}("
    if opening + ")" in head:
        head = head.replace(opening + ")", f"{opening}{name})")
    elif opening + "self)" in head:
        head = head.replace(opening + "self)", f"{opening}self, {name})")
    elif function.args.args and head.rstrip().endswith("):"):
        head = head.rstrip()[:-2] + f", {name}):"
    else:
        return None
    lines[function.lineno - 1] = head
    return "\n".join(lines) + "\n"
