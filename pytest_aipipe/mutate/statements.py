"""Faults in statements: conditions, returns, removals, loops, exceptions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_aipipe.mutate.expressions import BINARY, condition_edits
from pytest_aipipe.mutate.text import Edit, Text, padded

if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHER_ERROR = "ArithmeticError"
_OTHER_ERROR_OF_ARITHMETIC = "LookupError"


def statement_edits(node: ast.stmt | ast.excepthandler, text: Text) -> Iterator[Edit]:
    """Every fault whose edit belongs to ``node`` itself, not to what it contains."""
    match node:
        case ast.If():
            yield from condition_edits(node.test, text)
        case ast.While():
            yield from condition_edits(node.test, text, loop=True)
        case ast.Assert():
            # Its removal cannot be seen while the program is right: only negation is fair.
            start, end = text.span(node.test)
            yield Edit(start, end, f"(not ({text.source[start:end]}))", "condition")
        case ast.Return(value=ast.expr() as value):
            # True and False have their own mutant, which is the harder one to overlook.
            if not (isinstance(value, ast.Constant) and value.value in {None, True, False}):
                start, end = text.span(value)
                yield Edit(start, end, padded("None", text.source[start:end]), "return")
        case ast.Raise():
            yield from _raise(node, text)
        case ast.ExceptHandler():
            yield from _handler(node, text)
        case ast.Break() | ast.Continue():
            new = "continue" if isinstance(node, ast.Break) else "break"
            yield Edit(*text.span(node), new, "loop")
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            yield from _assignment(node, text)
        case ast.Expr() | ast.Delete():
            yield _removal(node, text)
        case _:
            return


def _removal(node: ast.stmt, text: Text) -> Edit:
    start, end = text.span(node)
    old = text.source[start:end]
    # Within a bracket-less statement a line break would end it, after `pass` it may stand.
    return Edit(start, end, "pass" + "\n" * old.count("\n"), "statement")


def _assignment(node: ast.Assign | ast.AnnAssign | ast.AugAssign, text: Text) -> Iterator[Edit]:
    if isinstance(node, ast.AugAssign):
        old, new, operator = BINARY[type(node.op)]
        start, end = text.span(node.target)[1], text.span(node.value)[0]
        if found := text.between(start, end, (f"{old}=",)):
            yield Edit(*found, f"{new}=", operator, shown=text.span(node))
            yield _removal(node, text)
        return
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if node.value is None:
        return
    if all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets):
        yield _removal(node, text)
    elif not isinstance(node.value, ast.Constant | ast.Lambda):
        # A name that is never bound fails at once; a name bound to nothing is a real fault.
        start, end = text.span(node.value)
        yield Edit(start, end, padded("None", text.source[start:end]), "assignment")


def _raise(node: ast.Raise, text: Text) -> Iterator[Edit]:
    yield _removal(node, text)
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if error is None or not isinstance(error, ast.Name | ast.Attribute):
        return
    name = text.of(error)
    if not name.rpartition(".")[2][:1].isupper():
        return  # an exception at hand is raised again: its type is not named here
    start, end = text.span(error)
    other = _OTHER_ERROR_OF_ARITHMETIC if name == _OTHER_ERROR else _OTHER_ERROR
    yield Edit(start, end, padded(other, name), "exception", shown=text.span(node))


def _handler(node: ast.ExceptHandler, text: Text) -> Iterator[Edit]:
    if node.type is None:
        start, end = text.span(node)
        yield Edit(start, start + len("except"), "except ()", "exception")
    else:
        start, end = text.span(node.type)
        yield Edit(start, end, padded("()", text.source[start:end]), "exception")
