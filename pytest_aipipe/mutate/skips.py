"""What is never mutated, because a test that noticed would be a poor test."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRAGMA = re.compile(r"#\s*pragma:\s*no\s*(cover|mutate)", re.IGNORECASE)
_LOG_OBJECT = re.compile(r"(^|[._])_*(log|logger|logging)s?$", re.IGNORECASE)
_LOG_METHODS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log"}
)
_TYPE_FACTORIES = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "cast"})
_NAMES = frozenset({"__all__", "__slots__", "__author__", "__copyright__", "__license__"})

Block = ast.stmt | ast.excepthandler | ast.match_case


def kept_children(node: ast.AST, lines: list[str]) -> Iterator[ast.AST]:
    """Return the children of ``node`` that may hold mutants, in source order."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "type_params", "type_comment", "pattern"}:
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if isinstance(child, ast.AST) and not _skipped(child, node, name, index, lines):
                yield child


def _skipped(child: ast.AST, parent: ast.AST, name: str, index: int, lines: list[str]) -> bool:
    if isinstance(parent, ast.JoinedStr):
        return True  # positions inside an f-string cannot be trusted before Python 3.12
    if isinstance(parent, ast.If) and _checks_types_only(parent.test):
        return name in {"test", "body"}
    if isinstance(parent, ast.Call) and _name_of(parent.func) in _TYPE_FACTORIES:
        return name == "args" and index == 0
    if isinstance(parent, ast.Compare) and isinstance(child, ast.Constant):
        # `x is 1` for `x is None` is only another way to say False.
        return any(isinstance(op, ast.Is | ast.IsNot) for op in parent.ops)
    if isinstance(child, ast.stmt | ast.excepthandler):
        return _skipped_statement(child, lines)
    return False


def _skipped_statement(node: ast.stmt | ast.excepthandler, lines: list[str]) -> bool:
    if _PRAGMA.search(lines[node.lineno - 1]):
        return True
    match node:
        case ast.Expr(value=ast.Constant()):
            return True  # a docstring, an ellipsis, a bare literal
        case ast.Expr(value=ast.Call() as call):
            return is_logging(call)
        case ast.Assign(value=ast.Call(func=func)) if _name_of(func) in _TYPE_FACTORIES - {"cast"}:
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name in _NAMES
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return any(_name_of(d) == "overload" for d in node.decorator_list)
        case ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal() | ast.Pass():
            return True
        case _:
            return False


def is_logging(call: ast.Call) -> bool:
    """Whether ``call`` writes to a log: ``logger.debug(...)``, ``self._log.info(...)``."""
    func = call.func
    return (
        isinstance(func, ast.Attribute)
        and func.attr in _LOG_METHODS
        and _LOG_OBJECT.search(ast.unparse(func.value)) is not None
    )


def _checks_types_only(test: ast.expr) -> bool:
    return _name_of(test) == "TYPE_CHECKING"


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
