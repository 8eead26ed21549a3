"""Separators of what code takes apart, put into texts: those that guards looked for in vain."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.mined import unique
from pytest_aipipe.engines.source.edits import Edit, replaced, sites

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_aipipe.engines.analysis.module import FunctionNode
    from pytest_aipipe.engines.source.edits import Pool
    from pytest_aipipe.generate.model import Comparison

_MISSING = frozenset({("in", False), ("not in", True)})
_LONG = 20


def missed_in(comparisons: Iterable[Comparison]) -> list[str]:
    """Return the texts that guards did not find in another text, in the order in which they asked.

    Bytes count as the text that they spell.
    """
    return unique(text for one in comparisons if (text := _missed(one)))


def _missed(seen: Comparison) -> str | None:
    if seen.left is None or seen.right is None or (seen.op, seen.taken) not in _MISSING:
        return None
    part, whole = _text(seen.left), _text(seen.right)
    return part if whole is not None and part and len(part) <= _LONG else None


def _text(source: str) -> str | None:
    try:
        value = syntax.literal(source)
        value = value.decode("ascii") if isinstance(value, bytes) else value
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def separator_edits(function: FunctionNode, pool: Pool, missed: Sequence[str]) -> Iterator[Edit]:
    """Yield the function with one of its texts made of several parts, with a separator between.

    Three parts as well as two, since what takes one off may leave the next guard to look again;
    equal ones, and ones of which none is like another, since each may have to be read.
    """
    nodes = list(ast.walk(function))
    for separator in missed:
        for index in sites(function, pool):
            for text in _parted(nodes[index], separator):
                yield Edit(replaced(function, index, ast.Constant(text)), repr(text))


def _parted(node: ast.AST, separator: str) -> list[str | bytes]:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, str):
        return [separator.join(parts) for parts in _forms(value or "a")]
    if isinstance(value, bytes):
        spelled = [[p.encode() for p in parts] for parts in _forms("")]
        return [separator.encode().join(p or value or b"a" for p in parts) for parts in spelled]
    return []


def _forms(first: str) -> tuple[tuple[str, ...], ...]:
    return ((first, first), (first, first, first), (first, "1"), (first, "x", "1"))
