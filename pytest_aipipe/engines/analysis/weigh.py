"""Which proposed values satisfy the conditions on one name, worked out without running code.

Only conditions over a single name, constants, and methods of built-in values are weighed;
everything else is left to the run.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.guards import demands
from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from pytest_aipipe.engines.analysis.guards import Guards

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
    conditions = dict.fromkeys(d for g in guards for c in g.conditions for d in demands(c))
    asked = [(_question(c.test, name), c.wanted) for c in conditions]
    questions = [(one, wanted) for one, wanted in asked if one is not None]
    if not questions:
        return values
    return sorted(
        values,
        key=lambda value: sum(not one.holds(value, wanted=wanted) for one, wanted in questions),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """A condition on one thing, compiled; ``name`` stands for the thing."""

    code: CodeType
    name: str
    foreign: frozenset[str]

    def holds(self, value: str, *, wanted: bool) -> bool:
        """Evaluate harmless parts for one literal value."""
        try:
            kinds = {name: type(name, (), {}) for name in self.foreign}
            known = {**_FUNCTIONS, **_TYPES, **kinds, self.name: _worth(value, kinds)}
            found = eval(self.code, {"__builtins__": {}}, known)  # noqa: S307 - whitelisted nodes
        except Exception:  # a value of the wrong type does not satisfy it
            return False
        return bool(found) == wanted


@lru_cache(maxsize=4096)
def _question(test: ast.expr, name: str) -> _Question | None:
    """Return what a condition asks of ``name``; None where it is about more, or about others."""
    if not name.isidentifier():  # ``self.mode``, ``options['mode']``
        if name not in _source(test):
            return None
        test, name = _named(test, name), _IT
    if not _about(test, name) or not _weighable(test, name):
        return None
    code = compile(ast.Expression(test), "guard", "eval")
    return _Question(code, name, frozenset(_foreign(test)))


@lru_cache(maxsize=4096)
def _source(test: ast.expr) -> str:
    return ast.unparse(test)


def _named(test: ast.expr, key: str) -> ast.expr:
    """Return the condition with a plain name for the expression whose source is ``key``."""

    class Name(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if isinstance(node, ast.Attribute | ast.Subscript) and ast.unparse(node) == key:
                return ast.copy_location(ast.Name(_IT, ast.Load()), node)
            return super().generic_visit(node)

    whole = Name().visit(ast.Expression(clone(test)))
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
    return syntax.literal(value) if kind is None else kind()
