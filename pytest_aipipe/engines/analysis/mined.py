"""Literals worth trying: those of guards, of the change, of its docstrings and of tests."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.regex import example

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONG = 200
_PROMPT = 3
_SHORT = 20
_SPLITTING = frozenset({"split", "rsplit", "partition", "rpartition"})


def literals(node: ast.AST) -> list[str]:
    """Return the sources of the literal values below ``node``, in order, without docstrings."""
    docs = set()
    for inner in ast.walk(node):
        body = getattr(inner, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            docs.add(id(body[0].value))
    found: dict[str, None] = {}
    for inner in ast.walk(node):
        if id(inner) in docs:
            continue
        if isinstance(inner, ast.Constant) and inner.value is not Ellipsis:
            text = repr(inner.value)
            if len(text) < _LONG:
                found[text] = None
        elif isinstance(inner, ast.List | ast.Tuple | ast.Set | ast.Dict) and _is_plain(inner):
            found[ast.unparse(inner)] = None
    return list(found)


def _is_plain(node: ast.AST) -> bool:
    try:
        syntax.literal(ast.unparse(node))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return len(ast.unparse(node)) < _LONG


def around(source: str) -> list[str]:
    """Return neighbours of a literal: for a number one more and less, for a text its edges."""
    try:
        value = syntax.literal(source)
    except (ValueError, SyntaxError):
        return []
    if isinstance(value, bool):
        return [repr(not value)]
    if isinstance(value, int):
        if abs(value) > 10**9:
            return [repr(-value)]
        return list(dict.fromkeys(map(repr, (value + 1, value - 1, -value, 0, value * 2))))
    if isinstance(value, float):
        return list(dict.fromkeys(map(repr, (-value, 0.0, value + 1, value / 2))))
    if isinstance(value, str):
        return _text_neighbours(value)
    if isinstance(value, bytes):
        return [repr(b""), repr(value + value)]
    if isinstance(value, list | tuple):
        kind = type(value)
        items = list(value)
        parts = [kind(p) for p in ([], items[:1], items + items, items[::-1], items[1:])]
        return list(dict.fromkeys(repr(p) for p in parts if p != value))
    if isinstance(value, dict):
        return [repr({})] if value else []
    if isinstance(value, set | frozenset):
        return ["set()"]
    return []


def _text_neighbours(value: str) -> list[str]:
    found = ["", value + " ", value + "x", value[:-1], value.upper(), value + "\n", "-" + value]
    if " " in value:
        found += [value.replace(" ", ""), value.split(" ", maxsplit=1)[0]]
    return list(dict.fromkeys(repr(f) for f in found if f != value and len(f) < _LONG))


def pieces(text: str) -> list[str]:
    """Return the parts of a text at which an edit can bite: words, numbers, lines, marks."""
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def patterns(node: ast.AST) -> list[str]:
    """Return texts that match the regular expressions written below ``node``."""
    found: list[str] = []
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Call) or not inner.args:
            continue
        name = ast.unparse(inner.func)
        first = inner.args[0]
        if name.startswith("re.") and isinstance(first, ast.Constant):
            text = example(first.value) if isinstance(first.value, str) else None
            if text is not None:
                found.append(repr(text))
    return found


def doc_examples(docstring: str | None) -> list[str]:
    """Return the statements of a docstring's ``>>>`` examples, continuation lines joined."""
    found: list[str] = []
    for line in (docstring or "").splitlines():
        text = line.strip()
        if text.startswith(">>>"):
            found.append(text[3:].removeprefix(" "))
        elif text.startswith("...") and found and (len(text) == _PROMPT or text[_PROMPT] == " "):
            found[-1] += "\n" + text[3:].removeprefix(" ")
    return [f for f in found if f.strip()]


def unique(values: Iterable[str]) -> list[str]:
    """Return the values without repetition, in order."""
    return list(dict.fromkeys(values))


def separators(node: ast.AST) -> list[str]:
    """Return the texts by which code splits others, in the order of the source.

    How many parts there are, and whether they differ, is what such code may ask next. Bytes
    count as the text that they spell.
    """
    found: list[str] = []
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        value = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if isinstance(value, bytes) and value.isascii():
            value = value.decode("ascii")
        if call.func.attr in _SPLITTING and isinstance(value, str) and 0 < len(value) <= _SHORT:
            found.append(value)
    return unique(found)
