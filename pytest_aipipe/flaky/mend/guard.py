"""A mend must not make a test say less. What it may do to an assertion is listed here."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_CALLS = ("raises", "warns", "fail", "approx")
_FORBIDDEN = ("skip", "xfail", "skipif", "flaky", "importorskip", "suppress", "expectedFailure")


def weakened(old: str, new: str, names: Sequence[str], allowed: Collection[str]) -> str:
    """Return how the mended test says less than the old one, "" where it says as much.

    ``allowed`` may hold ``sorted`` (both sides of a comparison are sorted or compared by
    their pieces), ``approx`` (a float is compared with pytest's tolerance), ``place`` (a
    constant became a variable), ``time`` (a limit on waiting became longer) and ``encoding``
    (a call that reads or writes text names UTF-8).
    """
    before, after = _function(syntax.parse(old), names), _function(syntax.parse(new), names)
    if after is None or before is None:
        return "the test is gone"
    olds, news = _claims(before), _claims(after)
    if len(news) < len(olds):
        return f"{len(olds) - len(news)} of its assertions are gone"
    for was, now in zip(olds, news, strict=False):
        if not _same(was, now, frozenset(allowed)):
            return f"{ast.unparse(was)} became {ast.unparse(now)}"
    for kind, name in ((ast.Try, "try"), (ast.Return, "return")):
        if _count(after, kind) > _count(before, kind):
            return f"it has a {name} that it had not"
    added = _words(after) - _words(before)
    evasions = sorted(added & set(_FORBIDDEN))
    return f"it uses {', '.join(evasions)}" if evasions else ""


def _function(tree: ast.AST, names: Sequence[str]) -> Any:
    node: Any = tree
    for name in names:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        found = [one for one in node.body if isinstance(one, kinds) and one.name == name]
        if not found:
            return None
        node = found[-1]
    return node


def _claims(function: ast.AST) -> list[ast.AST]:
    """Return what the test claims: assert statements, assert methods, expected errors."""
    found: list[ast.AST] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            found.append(node.test)
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if (name.startswith("assert") or name in _CALLS) and name != "approx":
                found.append(node)
    return sorted(found, key=lambda node: (getattr(node, "lineno", 0), node.col_offset))  # type: ignore[attr-defined]


def _same(old: Any, new: Any, allowed: frozenset[str]) -> bool:
    if type(old) is type(new):
        if isinstance(old, ast.AST):
            fields = all(
                _same(getattr(old, name, None), getattr(new, name, None), allowed)
                for name in old._fields
                if name not in ("ctx", "kind")
            )
            if fields:
                return True
        elif isinstance(old, list):
            return len(old) == len(new) and all(
                _same(a, b, allowed) for a, b in zip(old, new, strict=True)
            )
        elif old == new:
            return True
    return isinstance(new, ast.AST) and _wrapped(old, new, allowed)


def _wrapped(old: Any, new: ast.AST, allowed: frozenset[str]) -> bool:
    if isinstance(old, ast.Constant) and isinstance(new, ast.Constant) and "time" in allowed:
        was, now = old.value, new.value
        if isinstance(was, int | float) and isinstance(now, int | float):
            return now > was
    if isinstance(old, ast.Constant) and "place" in allowed:
        return isinstance(new, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp | ast.Call)
    if not isinstance(new, ast.Call):
        return False
    if isinstance(old, ast.Call) and "encoding" in allowed and _names_utf8(new):
        plain = ast.Call(new.func, new.args, new.keywords[:-1])
        return _same(old, plain, allowed)
    if new.keywords:
        return False
    name = getattr(new.func, "attr", getattr(new.func, "id", ""))
    if name in ("sorted", "approx") and name in allowed and len(new.args) == 1:
        return _same(old, new.args[0], allowed)
    if name == "split" and "sorted" in allowed and isinstance(new.func, ast.Attribute):
        return _same(old, new.func.value, allowed)
    return False


def _names_utf8(call: ast.Call) -> bool:
    """Whether the last thing that a call says is that text is UTF-8."""
    last = call.keywords[-1] if call.keywords else None
    value = last.value if last is not None and last.arg == "encoding" else None
    return isinstance(value, ast.Constant) and value.value == "utf-8"


def _count(function: ast.AST, kind: type[ast.AST]) -> int:
    return sum(isinstance(node, kind) for node in ast.walk(function))


def _words(function: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
