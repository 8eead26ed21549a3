"""Edits inside a test's own lines: encodings, paths, sorted sides, tolerances."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import libcst as cst
import libcst.matchers as m

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT_CALLS = {"read_text": 0, "write_text": 1}


class _Encodings(cst.CSTTransformer):
    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:  # noqa: ARG002, N802
        names = {arg.keyword.value for arg in updated_node.args if arg.keyword is not None}
        if "encoding" in names:
            return updated_node
        func = updated_node.func
        plain = [arg for arg in updated_node.args if arg.keyword is None]
        if isinstance(func, cst.Attribute) and func.attr.value in TEXT_CALLS:
            fits = len(plain) <= TEXT_CALLS[func.attr.value]
        elif m.matches(func, m.Name("open") | m.Attribute(attr=m.Name("open"))):
            fits = len(plain) <= 3 and not any(_is_binary(arg) for arg in updated_node.args)  # noqa: PLR2004
        else:
            fits = False
        if not fits:
            return updated_node
        added = cst.Arg(
            cst.SimpleString('"utf-8"'),
            keyword=cst.Name("encoding"),
            equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
        )
        return updated_node.with_changes(args=[*updated_node.args, added])


def _is_binary(arg: cst.Arg) -> bool:
    """Whether an argument is a mode such as ``"rb"``."""
    value = arg.value
    mode = value.raw_value if isinstance(value, cst.SimpleString) else ""
    return "b" in mode and set(mode) <= set("rwaxbt+")


def with_encodings(function: cst.FunctionDef) -> cst.FunctionDef:
    """Return the function with ``encoding="utf-8"`` wherever text is read or written."""
    return cst.ensure_type(function.visit(_Encodings()), cst.FunctionDef)


class _Paths(cst.CSTTransformer):
    """Moves absolute paths, and plain file names that are opened, under ``tmp_path``."""

    def leave_SimpleString(  # noqa: N802
        self,
        original_node: cst.SimpleString,  # noqa: ARG002
        updated_node: cst.SimpleString,
    ) -> cst.BaseExpression:
        value = updated_node.evaluated_value
        if isinstance(value, str) and value.startswith("/") and len(value) > 1:
            name = value.rstrip("/").rpartition("/")[2]
            return cst.parse_expression(f'str(tmp_path / "{name}")')
        return updated_node


def with_tmp_path(function: cst.FunctionDef) -> cst.FunctionDef:
    """Return the function with its fixed absolute paths under ``tmp_path``."""
    return cst.ensure_type(function.visit(_Paths()), cst.FunctionDef)


def with_compared(
    source: str, line: int, wrap: Callable[[str], str], *, ops: tuple[type[ast.cmpop], ...],
    left: bool, right: bool,
) -> str | None:  # fmt: skip
    """Return ``source`` with the sides of the comparison asserted at ``line`` wrapped.

    Both ``assert a == b`` and ``self.assertEqual(a, b)`` (or its kin for lists) are known.
    None where no such comparison is there.
    """
    for node in ast.walk(syntax.parse(source)):
        start, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        if not start <= line <= (end or 0):
            continue
        sides = _sides(node, ops)
        if sides is not None:
            wanted = [side for side, yes in zip(sides, (left, right), strict=True) if yes]
            return _wrapped(source, wanted, wrap)
    return None


def _sides(node: ast.AST, ops: tuple[type[ast.cmpop], ...]) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
        test = node.test
        if len(test.ops) == 1 and isinstance(test.ops[0], ops):
            return test.left, test.comparators[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        known = ("assertEqual", "assertListEqual", "assertSequenceEqual", "assertTupleEqual")
        if node.func.attr in known and len(node.args) >= 2:  # noqa: PLR2004 - both sides
            return node.args[0], node.args[1]
    return None


def _wrapped(source: str, nodes: list[ast.expr], wrap: Callable[[str], str]) -> str:
    lines = source.splitlines(keepends=True)
    starts = [0]
    for one in lines:
        starts.append(starts[-1] + len(one))

    def place(row: int, column: int) -> int:
        text = lines[row - 1].encode()[:column].decode()
        return starts[row - 1] + len(text)

    spans: list[Any] = sorted(
        ((place(n.lineno, n.col_offset), place(n.end_lineno or 0, n.end_col_offset or 0))
         for n in nodes),
        reverse=True,
    )  # fmt: skip
    for begin, end in spans:
        source = source[:begin] + wrap(source[begin:end]) + source[end:]
    return source
