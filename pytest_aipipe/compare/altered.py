"""What a change altered in conditions and values: the branches and literals worth aiming at."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.mined import around, literals, unique

if TYPE_CHECKING:
    from pytest_aipipe.generate.model import Arc

_ELSEWHERE = -1
"""Stands for wherever a condition leads that does not hold."""


def altered_branches(source: str, lines: frozenset[int]) -> frozenset[Arc]:
    """Return both ways out of every ``if``, ``while`` and ``for`` whose header was altered."""
    found: set[Arc] = set()
    for node in _walk(source):
        if isinstance(node, ast.If | ast.While):
            header: ast.expr = node.test
        elif isinstance(node, ast.For | ast.AsyncFor):
            header = node.iter
        else:
            continue
        if lines.isdisjoint(range(node.lineno, (header.end_lineno or header.lineno) + 1)):
            continue
        found |= {(node.lineno, node.body[0].lineno), (node.lineno, _ELSEWHERE)}
    return frozenset(found)


def altered_literals(source: str, lines: frozenset[int]) -> list[str]:
    """Return the literals on altered lines with their neighbours, those of comparisons first."""
    compared: list[str] = []
    others: list[str] = []
    for node in _walk(source):
        if not isinstance(node, ast.expr) or node.lineno not in lines:
            continue
        if isinstance(node, ast.Compare):
            compared += literals(node)
        elif isinstance(node, ast.Constant):
            others += literals(node)
    found = unique([*compared, *others])
    return unique([*found, *(near for one in found for near in around(one))])


@lru_cache(maxsize=8)  # asked for each place of a file; nobody changes a node
def _walk(source: str) -> tuple[ast.AST, ...]:
    try:
        return tuple(ast.walk(syntax.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return ()
