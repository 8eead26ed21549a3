"""Which statements of two versions of a block are versions of one another."""

from __future__ import annotations

import ast
from collections import defaultdict
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pytest_aipipe.select import parts

if TYPE_CHECKING:
    from collections.abc import Sequence


def text(source: list[str], node: ast.stmt) -> str:
    """Return the lines of a statement, decorators included."""
    return "\n".join(source[parts.first_line(node) - 1 : node.end_lineno])


def unequal(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Return the spans without an equal: start and end of the old side, then of the new."""
    start, shortest = 0, min(len(old), len(new))
    while start < shortest and old[start] == new[start]:
        start += 1
    end = 0
    while end < shortest - start and old[-1 - end] == new[-1 - end]:
        end += 1
    mine, theirs = old[start : len(old) - end], new[start : len(new) - end]
    codes = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    return [
        (start + a, start + b, start + c, start + d) for tag, a, b, c, d in codes if tag != "equal"
    ]


def paired(
    old: list[ast.stmt], new: list[ast.stmt], *, anywhere: bool = False
) -> tuple[list[tuple[ast.stmt, ast.stmt]], list[ast.stmt], list[ast.stmt]]:
    """Return which statements are versions of one another, and what is left on both sides.

    Definitions are known by their names (``anywhere``: wherever they stand), the other
    statements that hold statements by their sort, in their order.
    """
    waiting: dict[object, list[ast.stmt]] = defaultdict(list)
    for node in new:
        waiting[_identity(node)].append(node)
    pairs, gone, used, last = [], [], set(), -1
    place = {id(node): at for at, node in enumerate(new)}
    for node in old:
        candidates = waiting[_identity(node)] if _identity(node) else []
        while candidates and not anywhere and place[id(candidates[0])] <= last:
            candidates.pop(0)
        if not candidates:
            gone.append(node)
            continue
        match = candidates.pop(0)
        last = place[id(match)]
        used.add(id(match))
        pairs.append((node, match))
    return pairs, gone, [node for node in new if id(node) not in used]


def _identity(node: ast.stmt) -> object:
    if isinstance(node, parts.DEFINITIONS):
        return "class" if isinstance(node, ast.ClassDef) else "def", node.name
    if isinstance(getattr(node, "body", None), list) or isinstance(node, ast.Match):
        return type(node)
    return None
