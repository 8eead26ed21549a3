"""From a model's answer to candidates: the code found, taken apart, and never run here."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.generate.model import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"```[ \t]*([A-Za-z0-9]*)[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)

MOST = 6
"""Tests of one answer that are looked at: a model that writes dozens is not read to the end."""

FORCING = ("monkeypatch", "mocker", "patch(", "patch.", "Mock(", "mock.")


class Unreadable(ValueError):  # noqa: N818 - reads as the sentence "raise Unreadable('...')"
    """The answer holds no test; the message says why, for the model."""


def candidates_in(answer: str) -> list[Candidate]:
    """Return the tests of an answer as candidates; raise :class:`Unreadable` with the reason."""
    code = code_in(answer)
    try:
        tree = syntax.parse(code)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Unreadable(f"the code does not parse: {error}") from error
    prelude: list[str] = []
    tests: list[tuple[str, str]] = []
    for node in tree.body:
        text = _segment(code, node)
        if _is_test(node):
            tests.append((node.name, text))  # type: ignore[attr-defined]
        elif isinstance(node, ast.ClassDef) and _methods(node):
            tests += _taken_out(code, node)
        elif not _is_noise(node):
            prelude.append(text)
    if not tests:
        raise Unreadable("there is no function `def test_...` in it")
    return [
        Candidate(
            technique="model",
            name=name,
            function=text + "\n",
            prelude=tuple(prelude),
            mocked=any(word in text for word in FORCING),
            untrusted=True,
        )
        for name, text in tests[:MOST]
    ]


def code_in(answer: str) -> str:
    """Return the code of an answer: its Python blocks, or all of it where there is no block."""
    text = _THOUGHT.sub("", answer)
    blocks = [body for kind, body in _FENCE.findall(text) if kind.lower() in ("", "python", "py")]
    return textwrap.dedent("\n".join(blocks) if blocks else text).strip() + "\n"


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")


def _methods(node: ast.ClassDef) -> list[ast.stmt]:
    return [one for one in node.body if _is_test(one)]


def _is_noise(node: ast.stmt) -> bool:
    """Whether a statement is a docstring or the usual ``if __name__ == "__main__"``."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _taken_out(code: str, node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Yield the class once for each of its tests, with that test alone."""
    methods = _methods(node)
    if node.bases:
        for method in methods:
            kept = [one for one in node.body if one is method or one not in methods]
            name = f"{node.name}{'' if len(methods) == 1 else methods.index(method) + 1}"
            made = ast.ClassDef(**{**dict(ast.iter_fields(node)), "body": kept, "name": name})
            yield name, ast.unparse(ast.fix_missing_locations(made))
        return
    for method in methods:
        text = textwrap.dedent(_segment(code, method, whole_lines=True))
        tree = syntax.parse(text)
        (function,) = tree.body
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)  # noqa: S101
        if function.args.args and function.args.args[0].arg == "self":
            del function.args.args[0]
        yield function.name, ast.unparse(function)


def _segment(code: str, node: ast.stmt, *, whole_lines: bool = False) -> str:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    lines = code.splitlines()[first - 1 : node.end_lineno]
    del whole_lines
    return "\n".join(lines)
