"""Code without what does not act: docstrings, annotations, what only type checkers read."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import typing
from itertools import groupby
from typing import TYPE_CHECKING

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable

_TYPING = frozenset({"typing", "typing_extensions", "collections.abc", "_typeshed"})
_MAKERS = frozenset(
    {"TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "TypeAliasType", "Generic", "Protocol"}
)
_ALIASES = frozenset({*typing.__all__, *collections.abc.__all__})
_ALIASES |= {"list", "dict", "tuple", "set", "frozenset", "type", "deque", "defaultdict"}
_MARKS = frozenset({"override", "final", "no_type_check", "type_check_only", "dataclass_transform"})


def bare(source: str) -> ast.Module | None:
    """Return the tree of ``source`` without what does not act, or None where it has none."""
    try:
        tree = syntax.parse(source)
        _Bare().visit(tree)
        return ast.fix_missing_locations(tree)
    except (SyntaxError, ValueError, RecursionError):
        return None


def is_typing(value: ast.expr | None) -> bool:
    """Return whether an expression makes a type for checkers: an alias, a type variable."""
    if isinstance(value, ast.Subscript):
        number = isinstance(value.slice, ast.Constant) and isinstance(value.slice.value, int)
        return _last(value.value) in _ALIASES and not number
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        # Flags are joined so as well, but not with `None` or a built-in type.
        leaves = _leaves(value)
        plain = all(isinstance(one, ast.Name | ast.Attribute | ast.Constant | ast.Subscript)
                    for one in leaves)  # fmt: skip
        return plain and any(_is_plain_type(one) for one in leaves)
    return isinstance(value, ast.Call) and _last(value.func) in _MAKERS


def _leaves(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return [*_leaves(value.left), *_leaves(value.right)]
    return [value]


def _is_plain_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    return is_typing(node) or isinstance(getattr(builtins, _last(node), None), type)


def _last(node: ast.expr) -> str:
    """Return the last part of a dotted name, or nothing."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class _Bare(ast.NodeTransformer):
    """Takes away what does not act."""

    def visit(self, node: ast.AST) -> ast.AST:
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                acting = [one for one in block if not _is_idle(one)]
                block[:] = _imports_in_order(acting) or ([ast.Pass()] if name == "body" else [])
        node = super().generic_visit(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            # A field of a dataclass stays told apart by its value and name.
            node.annotation = ast.Constant("")
        elif isinstance(node, ast.ClassDef):
            node.bases = [base for base in node.bases if not _is_generic(base)]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.decorator_list = [d for d in node.decorator_list if _last(d) not in _MARKS]
        if isinstance(node, ast.Call) and _last(node.func) == "cast" and len(node.args) == 2:  # noqa: PLR2004
            return node.args[1]
        return node


def _is_idle(node: ast.stmt) -> bool:
    """Return whether a statement does nothing that a run could show."""
    if isinstance(node, ast.Pass):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return _last(node.test) == "TYPE_CHECKING" and not node.orelse
    if isinstance(node, ast.ImportFrom):
        return node.module in _TYPING or node.module == "__future__"
    if isinstance(node, ast.Import):
        return all(alias.name in _TYPING for alias in node.names)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return any(_last(d) == "overload" for d in node.decorator_list)
    if isinstance(node, ast.Assign):
        return is_typing(node.value) and not isinstance(node.targets[0], ast.Attribute)
    # Within a function an annotation without a value is not even evaluated.
    return isinstance(node, ast.AnnAssign) and node.value is not None and _alias(node)


def _alias(node: ast.AnnAssign) -> bool:
    return _last(node.annotation) == "TypeAlias"


def _is_generic(base: ast.expr) -> bool:
    name = _last(base.value if isinstance(base, ast.Subscript) else base)
    return name in {"Generic", "object"}


def _imports_in_order(block: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Return the block with its runs of imports sorted, each name on its own."""
    found: list[ast.stmt] = []
    for are_imports, run in groupby(block, lambda n: isinstance(n, ast.Import | ast.ImportFrom)):
        if are_imports:
            found += sorted((one for node in run for one in _single(node)), key=ast.unparse)
        else:
            found += run
    return found


def _single(node: ast.stmt) -> list[ast.stmt]:
    if isinstance(node, ast.Import):
        return [ast.Import([alias]) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [ast.ImportFrom(node.module, [alias], node.level) for alias in node.names]
    return [node]
