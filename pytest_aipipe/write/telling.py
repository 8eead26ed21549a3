"""What sets a test apart from others of its symbol, in the words of a test's name."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.text import test_function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.generate.model import Candidate

MAX_WORDS = 32
_LOOKS = frozenset(
    {"list", "len", "str", "repr", "type", "isinstance", "callable", "sorted", "tuple", "dict"}
)
_SIGNS = {"%": " percent ", "+": " plus ", "&": " and ", "@": " at ", "$": " dollar "}


def tellings(candidate: Candidate) -> tuple[list[str], list[str]]:
    """Return what the name should say in any case, and what it can say to be told apart.

    The first are the error or warning that the test expects and the surroundings that it
    forces; the second its arguments and what came of them. Each is the end of a name.
    """
    function = test_function(candidate.function)
    if function is None:
        return [], []
    said = list(dict.fromkeys(_expected(function)))[:1]
    if candidate.mocked and candidate.note.lower().startswith("when "):
        said = [_words(candidate.note)] if _words(candidate.note) else said
    more = [*_arguments(function), *_returned(function)]
    return said, [one for one in dict.fromkeys(more) if one]


def _expected(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if not isinstance(node, ast.With | ast.AsyncWith):
            continue
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and call.args:
                how = ast.unparse(call.func).rsplit(".", 1)[-1]
                how = {"assertRaises": "raises", "assertRaisesRegex": "raises"}.get(how, how)
                if how in {"raises", "warns"}:
                    yield f"{how}_{_snake(ast.unparse(call.args[0]))}"


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Say the plain arguments of the call that the test is about: its last one."""
    values = {
        node.targets[0].id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    call = _last_call(function)
    if call is None:
        return
    named = [(word.arg or "", word.value) for word in call.keywords]
    for word, given in [*named, *(("", one) for one in call.args)]:
        local = given.id if isinstance(given, ast.Name) else ""
        said = _said(values.get(local, given))
        if said:
            yield "_".join(part for part in ("with", _snake(word or local), said) if part)


def _last_call(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Call | None:
    found: ast.Call | None = None
    for node in function.body:
        inner: ast.AST = node
        while isinstance(inner, ast.With | ast.AsyncWith):
            inner = inner.body[-1]
        if isinstance(inner, ast.Assert):
            inner = inner.test.left if isinstance(inner.test, ast.Compare) else inner.test
            if found is not None and not isinstance(inner, ast.Call | ast.Await):
                continue
            if found is not None and _only_looks(inner):
                continue
        value = getattr(inner, "value", inner)
        value = value.value if isinstance(value, ast.Await) else value
        if isinstance(value, ast.Call):
            found = value
    return found


def _only_looks(call: ast.expr) -> bool:
    """Whether it asks a local what it is worth (``list(result)``), and is not the act itself."""
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in _LOOKS
        and all(isinstance(one, ast.Name | ast.Attribute) for one in call.args[:1])
    )


def _returned(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Assert):
            continue
        test = node.test
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq | ast.Is):
            value = test.comparators[0]
            if isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords:
                value = value.args[0]
            said = _said(value)
            if said:
                yield f"gives_{said}"


def _said(node: ast.expr) -> str:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        said = _said(node.operand)
        return f"minus_{said}" if said else ""
    if isinstance(node, ast.List | ast.Tuple | ast.Set) and not node.elts:
        return f"empty_{type(node).__name__.lower()}"
    if isinstance(node, ast.Dict) and not node.keys:
        return "empty_dict"
    if not isinstance(node, ast.Constant) or node.value is ...:
        return ""
    if node.value in ("", b""):
        return "empty_text"
    return _words(str(node.value) if not isinstance(node.value, bytes) else repr(node.value)[2:-1])


def _words(text: str) -> str:
    """Return ``text`` as words, or nothing where it is long or would say nothing."""
    text = re.sub(r"(?<=\d)\.(?=\d)", " point ", text)
    text = re.sub(r"^-(?=\d)", "minus ", text.strip())
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    words = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return words if len(words) <= MAX_WORDS else ""


def _snake(name: str) -> str:
    last = name.rsplit(".", 1)[-1]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).lower().strip("_")
