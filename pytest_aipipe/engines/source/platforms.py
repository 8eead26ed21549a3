"""Platforms that a condition asks for, and names that a module binds only on some of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.analysis.module import ModuleView

_KNOWN = ("win32", "darwin", "linux", "cygwin")


def platforms_for(test: ast.expr, *, wanted: bool) -> list[str]:
    """Return values of ``sys.platform``, those first under which ``test`` is likely ``wanted``."""
    texts = [n.value for n in ast.walk(test) if isinstance(n, ast.Constant)]
    named = [p for p in _KNOWN if any(isinstance(t, str) and t and p.startswith(t) for t in texts)]
    negated = any(isinstance(n, ast.NotEq | ast.NotIn | ast.Not) for n in ast.walk(test))
    return sorted(_KNOWN, key=lambda p: (p in named) != (wanted is not negated))


def bound_elsewhere(module: ModuleView) -> frozenset[str]:
    """Return names that the module's body binds under a condition alone, so perhaps not here.

    ``try`` is left out: what fails there is told by its handler.
    """
    sure: set[str] = set()
    perhaps: set[str] = set()
    for node in module.tree.body:
        if isinstance(node, ast.If):
            branches = [_bound(node.body), _bound(node.orelse)]
            perhaps |= branches[0] ^ branches[1]
            sure |= branches[0] & branches[1]
        else:
            sure |= _bound([node])
    return frozenset(perhaps - sure)


def _bound(block: list[ast.stmt]) -> set[str]:
    return {name for statement in block for name in _names(statement)}


def _names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (a.asname or a.name.split(".")[0] for a in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
