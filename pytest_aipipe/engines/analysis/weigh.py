"""Which proposed values satisfy the conditions on one name, worked out without running code.

Only conditions over a single name, constants, and methods of built-in values are weighed;
everything else is left to the run.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from pytest_aipipe.engines.analysis.guards import Condition, Guards

_FUNCTIONS = {"len": len, "isinstance": isinstance, "bool": bool, "abs": abs}
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
    asked = [
        c for g in guards for c in g.conditions if _weighable(c.test, name) and _about(c.test, name)
    ]
    if not asked:
        return values
    codes = [(compile(ast.Expression(c.test), "guard", "eval"), c) for c in asked]
    return sorted(
        values, key=lambda value: sum(not _holds(code, c, name, value) for code, c in codes)
    )


def _about(test: ast.expr, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(test))


def _weighable(test: ast.expr, name: str) -> bool:
    for node in ast.walk(test):
        if not isinstance(node, _NODES):
            return False
        if isinstance(node, ast.Name) and node.id not in {name, *_FUNCTIONS, *_TYPES}:
            return False
        if isinstance(node, ast.Attribute) and node.attr not in _METHODS:
            return False
    return True


def _holds(code: CodeType, condition: Condition, name: str, value: str) -> bool:
    """Evaluate a condition of harmless parts for one literal value."""
    try:
        known = {**_FUNCTIONS, **_TYPES, name: ast.literal_eval(value)}
        found = eval(code, {"__builtins__": {}}, known)  # noqa: S307 - whitelisted nodes only
    except Exception:  # a value of the wrong type does not satisfy it
        return False
    return bool(found) == condition.wanted
