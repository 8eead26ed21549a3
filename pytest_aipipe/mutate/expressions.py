"""Faults in expressions: operators, comparisons, constants, slices, arguments."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_aipipe.mutate.text import Edit, Text, padded

if TYPE_CHECKING:
    from collections.abc import Iterator

BINARY: dict[type[ast.operator], tuple[str, str, str]] = {
    ast.Add: ("+", "-", "arithmetic"),
    ast.Sub: ("-", "+", "arithmetic"),
    ast.Mult: ("*", "/", "arithmetic"),
    ast.Div: ("/", "*", "arithmetic"),
    ast.FloorDiv: ("//", "/", "arithmetic"),
    ast.Mod: ("%", "*", "arithmetic"),
    ast.Pow: ("**", "*", "arithmetic"),
    ast.MatMult: ("@", "*", "arithmetic"),
    ast.LShift: ("<<", ">>", "bitwise"),
    ast.RShift: (">>", "<<", "bitwise"),
    ast.BitAnd: ("&", "|", "bitwise"),
    ast.BitOr: ("|", "&", "bitwise"),
    ast.BitXor: ("^", "&", "bitwise"),
}
COMPARISON: dict[type[ast.cmpop], tuple[str, tuple[tuple[str, str], ...]]] = {
    ast.Lt: ("<", (("<=", "boundary"), (">=", "comparison"))),
    ast.LtE: ("<=", (("<", "boundary"), (">", "comparison"))),
    ast.Gt: (">", ((">=", "boundary"), ("<=", "comparison"))),
    ast.GtE: (">=", ((">", "boundary"), ("<", "comparison"))),
    ast.Eq: ("==", (("!=", "comparison"),)),
    ast.NotEq: ("!=", (("==", "comparison"),)),
    ast.Is: ("is", (("is not", "comparison"),)),
    ast.IsNot: ("is not", (("is", "comparison"),)),
    ast.In: ("in", (("not in", "comparison"),)),
    ast.NotIn: ("not in", (("in", "comparison"),)),
}


def expression_edits(node: ast.expr, text: Text) -> Iterator[Edit]:
    """Every fault whose edit belongs to ``node`` itself, not to its children."""
    match node:
        case ast.BinOp():
            yield from _binary(node, text)
        case ast.BoolOp():
            yield from _boolean(node, text)
        case ast.Compare():
            yield from _comparison(node, text)
        case ast.UnaryOp():
            yield from _unary(node, text)
        case ast.Constant():
            yield from _constant(node, text)
        case ast.JoinedStr():
            yield _replace(node, '"XX"' if text.of(node)[2:-1] else '"X"', "string", text)
        case ast.IfExp():
            yield from condition_edits(node.test, text)
        case ast.Slice():
            yield from _slice(node, text)
        case ast.Call():
            yield from _call(node, text)
        case ast.Yield(value=ast.expr() as value) if not _is_none(value):
            yield _replace(value, "None", "return", text)
        case ast.Lambda(body=body) if not _is_none(body):
            yield _replace(body, "None", "return", text)
        case _:
            return


def condition_edits(test: ast.expr, text: Text, *, loop: bool = False) -> Iterator[Edit]:
    """``test`` negated, always true (never for a loop: it would not end), always false."""
    start, end = text.span(test)
    old = text.source[start:end]
    swapped = isinstance(test, ast.Compare) and len(test.ops) == 1
    if not swapped and not isinstance(test, ast.UnaryOp):
        # A lone comparison or `not` is negated by its own edit.
        yield Edit(start, end, f"(not ({old}))", "condition")
    if not loop:
        yield Edit(start, end, padded("True", old), "condition")
    yield Edit(start, end, padded("False", old), "condition")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _replace(node: ast.expr, new: str, operator: str, text: Text) -> Edit:
    start, end = text.span(node)
    return Edit(start, end, padded(new, text.source[start:end]), operator)


def _binary(node: ast.BinOp, text: Text) -> Iterator[Edit]:
    old, new, operator = BINARY[type(node.op)]
    start, end = text.span(node.left)[1], text.span(node.right)[0]
    if found := text.between(start, end, (old,)):
        yield Edit(*found, new, operator, shown=text.span(node))


def _boolean(node: ast.BoolOp, text: Text) -> Iterator[Edit]:
    old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        found = text.between(text.span(left)[1], text.span(right)[0], (old,))
        if found:
            yield Edit(*found, new, "boolean", shown=(text.span(left)[0], text.span(right)[1]))


def _comparison(node: ast.Compare, text: Text) -> Iterator[Edit]:
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        old, swaps = COMPARISON[type(op)]
        span = (text.span(left)[0], text.span(right)[1])
        words = tuple(old.split())
        found = text.between(text.span(left)[1], text.span(right)[0], words)
        if found:
            for new, operator in swaps:
                yield Edit(*found, new, operator, shown=span)
        left = right


def _unary(node: ast.UnaryOp, text: Text) -> Iterator[Edit]:
    start, _ = text.span(node)
    operand, _ = text.span(node.operand)
    old = text.source[start:operand]
    match node.op:
        case ast.Not():
            word, operator = "not", "not"
        case ast.USub():
            word, operator = "-", "arithmetic"
        case ast.Invert():
            word, operator = "~", "bitwise"
        case _:
            return
    if old.startswith(word):
        yield Edit(start, start + len(word), " " * len(word), operator, shown=text.span(node))


def _constant(node: ast.Constant, text: Text) -> Iterator[Edit]:
    match node.value:
        case bool():
            yield _replace(node, str(not node.value), "constant", text)
        case int() | float():
            value = node.value
            yield _replace(node, repr(value + 1), "constant", text)
            yield _replace(
                node, f"({value - 1!r})" if value < 1 else repr(value - 1), "constant", text
            )
        case str():
            yield _replace(
                node, repr(f"XX{node.value}XX") if node.value else "'XX'", "string", text
            )
        case bytes():
            new = repr(b"XX" + node.value + b"XX") if node.value else "b'XX'"
            yield _replace(node, new, "string", text)
        case None:
            yield _replace(node, "1", "constant", text)
        case _:
            return


def _slice(node: ast.Slice, text: Text) -> Iterator[Edit]:
    for part in (node.lower, node.upper, node.step):
        if part is None:
            continue
        start, end = text.span(part)
        # None stands for an absent bound and needs no care for the colons around it.
        if not _is_none(part):
            edit = Edit(start, end, padded("None", text.source[start:end]), "slice")
            yield Edit(edit.start, edit.end, edit.new, "slice", shown=text.span(node))


def _call(node: ast.Call, text: Text) -> Iterator[Edit]:
    """Without one keyword argument, where the caller relies on no default of ours."""
    for index, keyword in enumerate(node.keywords):
        if keyword.arg is None:
            continue
        start, end = text.span(keyword)
        later = [*node.keywords[index + 1 :], *node.args]
        following = [t for t in text.tokens if t[0] >= end][:1]
        if following and following[0][2] == "," and later:
            stop = following[0][1]
        elif node.args or index:
            before = [t for t in text.tokens if t[1] <= start][-1]
            start, stop = (before[0] if before[2] == "," else start), end
        else:
            stop = end
        old = text.source[start:stop]
        yield Edit(start, stop, "\n" * old.count("\n"), "argument", shown=text.span(node))
