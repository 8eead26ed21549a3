"""A function made smaller as long as it still does what it was found for."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_aipipe.explore.trees import clone
from pytest_aipipe.explore.variation import FunctionNode, Sites

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TRIES = 400
_PIECES = re.compile(r"\w+|\s+|[^\w\s]")


class _Tries:
    """Counts what is asked, so that a long text does not take all the time."""

    def __init__(self, keeps: Callable[[FunctionNode], bool]) -> None:
        self.keeps = keeps
        self.left = MAX_TRIES

    def holds(self, function: FunctionNode) -> bool:
        self.left -= 1
        return self.left > 0 and self.keeps(ast.fix_missing_locations(function))


def lessened(function: FunctionNode, keeps: Callable[[FunctionNode], bool]) -> FunctionNode:
    """Return ``function`` with fewer statements and shorter texts; itself where nothing can go.

    ``keeps`` tells whether a smaller one still does what the whole did.
    """
    tries = _Tries(keeps)
    if not tries.holds(clone(function)):
        return function
    function = _fewer_statements(function, tries)
    return _shorter_texts(function, tries)


def _fewer_statements(function: FunctionNode, tries: _Tries) -> FunctionNode:
    index = len(function.body) - 1
    while index >= 0 and len(function.body) > 1:
        made = clone(function)
        del made.body[index]
        if tries.holds(made):
            function = made
        index -= 1
    return function


def _shorter_texts(function: FunctionNode, tries: _Tries) -> FunctionNode:
    count = len(Sites.of(function).texts)
    for number in range(count):
        place = Sites.of(function).texts
        if number >= len(place) or not place[number][1].value:
            continue
        text = place[number][1].value
        for parts in (text.splitlines(keepends=True), None):
            pieces: list[str] = parts if parts is not None else _PIECES.findall(text)
            function, text = _without_parts(function, number, pieces, tries)
    return function


def _without_parts(
    function: FunctionNode, number: int, parts: list[str], tries: _Tries
) -> tuple[FunctionNode, str]:
    """Drop runs of parts, long runs first."""
    size = max(1, len(parts) // 2)
    while True:
        index = 0
        while index < len(parts):
            fewer = parts[:index] + parts[index + size :]
            made = clone(function)
            sites = Sites.of(made).texts
            sites[number][1].value = "".join(fewer)
            if tries.holds(made):
                function, parts = made, fewer
            else:
                index += size
        if size == 1:
            return function, "".join(parts)
        size = max(1, size // 2)
