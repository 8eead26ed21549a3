"""Which proposed values satisfy the conditions on one name, worked out without running code.

Only conditions over a single name, constants, and methods of built-in values are weighed;
everything else is left to the run.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from pytest_aipipe.engines.analysis.guards import Condition, Guards

_FUNCTIONS = {"len": len, "isinstance": isinstance, "bool": bool, "abs": abs}
_PAIR = 2
_IT = "_it"
_TYPES = {t.__name__: t for t in (str, int, float, bool, bytes, list, tuple, dict, set)}
_METHODS = frozenset(
    {"startswith", "endswith", "strip", "lstrip", "rstrip", "lower", "upper", "casefold", "isdigit",
     "isspace", "isalpha", "isalnum", "isupper", "islower", "isdecimal", "isidentifier", "find",
     "count", "get", "keys", "values", "items", "index"}
)  # fmt: skip
_NODES = (
    ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Constant, ast.Name, ast.Call, ast.Attribute,
    ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Set, ast.operator, ast.cmpop, ast.boolop,
    ast.unaryop, ast.expr_context, ast.Load,
)  # fmt: skip


def ranked(name: str, values: list[str], guards: Iterable[Guards]) -> list[str]:
    """Return ``values`` with those first that satisfy the most conditions on ``name``."""
    conditions = [c for g in guards for c in g.conditions]
    if not name.isidentifier():  # ``self.mode``, ``options['mode']``
        conditions = [replace(c, test=_named(c.test, name)) for c in conditions]
        name = _IT
    asked = [c for c in conditions if _weighable(c.test, name) and _about(c.test, name)]
    if not asked:
        return values
    codes = [(compile(ast.Expression(c.test), "guard", "eval"), c) for c in asked]
    return sorted(
        values, key=lambda value: sum(not _holds(code, c, name, value) for code, c in codes)
    )


def _named(test: ast.expr, key: str) -> ast.expr:
    """Return the condition with a plain name for the expression whose source is ``key``."""

    class Name(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if isinstance(node, ast.Attribute | ast.Subscript) and ast.unparse(node) == key:
                return ast.copy_location(ast.Name(_IT, ast.Load()), node)
            return super().generic_visit(node)

    whole = Name().visit(ast.Expression(copy.deepcopy(test)))
    return whole.body if isinstance(whole, ast.Expression) else test


def _about(test: ast.expr, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(test))


def _weighable(test: ast.expr, name: str) -> bool:
    unknown = _foreign(test)
    for node in ast.walk(test):
        if not isinstance(node, _NODES):
            return False
        if isinstance(node, ast.Name) and node.id not in {name, *_FUNCTIONS, *_TYPES, *unknown}:
            return False
        if isinstance(node, ast.Attribute) and node.attr not in _METHODS:
            return False
    return True


def _foreign(test: ast.expr) -> set[str]:
    """Return the types in ``isinstance`` checks that are not built in."""
    checks = (n for n in ast.walk(test) if isinstance(n, ast.Call) and len(n.args) == _PAIR)
    named = {
        inner.id
        for n in checks
        if isinstance(n.func, ast.Name) and n.func.id == "isinstance"
        for inner in ast.walk(n.args[1])
        if isinstance(inner, ast.Name)
    }
    return named - set(_TYPES)


def _worth(value: str, foreign: dict[str, type]) -> object:
    """Return what a proposal is worth: a literal, or a stand-in for an object of a foreign type."""
    kind = foreign.get(value.partition("(")[0])
    return ast.literal_eval(value) if kind is None else kind()


def _holds(code: CodeType, condition: Condition, name: str, value: str) -> bool:
    """Evaluate a condition of harmless parts for one literal value."""
    try:
        foreign = {n: type(n, (), {}) for n in _foreign(condition.test)}
        known = {**_FUNCTIONS, **_TYPES, **foreign, name: _worth(value, foreign)}
        found = eval(code, {"__builtins__": {}}, known)  # noqa: S307 - whitelisted nodes only
    except Exception:  # a value of the wrong type does not satisfy it
        return False
    return bool(found) == condition.wanted
