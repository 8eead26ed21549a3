"""Richer inputs: a literal of a test exchanged for what the project's own tests pass there.

Shrinking leaves the smallest input that reaches a line. Of an empty one much of what the line
does is not to be seen, and so neither is a fault in it; people have written down fuller ones.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import replace
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.assertions.text import test_function
from pytest_aipipe.generate.edges import swapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_aipipe.generate.model import Candidate

TECHNIQUE = "richer"
A_PLACE = 3  # values that are tried there
MOST = 12  # variants of one test
LONGEST = 80  # characters of a value
_WAITING = frozenset({"sleep", "wait", "wait_for"})
_LITERALS = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp)

Place = tuple[str, int | str]
"""What is called, by the last part of its name, and the position or the keyword."""


class Passed:
    """What the tests in ``sources`` pass to what they call: literals by their place."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._values: dict[Place, dict[str, type]] = defaultdict(dict)
        for source in sources:
            self._read(source)

    def _read(self, source: str) -> None:
        try:
            tree = syntax.parse(source)
        except (SyntaxError, ValueError):
            return
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for place, node in _arguments(function):
                text = ast.unparse(node)
                if len(text) <= LONGEST:
                    self._values[place].setdefault(text, _kind(node))

    def at(self, place: Place, known: ast.expr | None = None) -> list[str]:
        """Return what else is passed there: of the kind of ``known`` first, the longest first."""
        kind, own = (_kind(known), ast.unparse(known)) if known is not None else (None, None)
        found = [(held is not kind, -len(text), text)
                 for text, held in self._values.get(place, {}).items() if text != own]  # fmt: skip
        return [text for *_, text in sorted(found)[:A_PLACE]]


def richer(candidate: Candidate, passed: Passed) -> list[Candidate]:
    """Return variants of ``candidate`` with one literal exchanged, its places in turn.

    A call that passes nothing gets what the tests pass it first.
    """
    function = test_function(candidate.function)
    if function is None:
        return []
    columns: list[list[tuple[ast.expr, str]]] = [
        [(node, text) for text in passed.at(place, node)] for place, node in _arguments(function)
    ]
    for call in _bare_calls(function):
        made = ast.unparse(call.func)
        columns.append([(call, f"{made}({text})") for text in passed.at((called_name(call), 0))])
    found: dict[str, Candidate] = {}
    for one in chain.from_iterable(zip_longest(*columns)):
        if one is None:
            continue
        node, text = one
        source = swapped(candidate.function, node, text)
        if source is not None:
            found.setdefault(
                source,
                replace(candidate, technique=TECHNIQUE, function=source, note="a fuller input"),
            )
        if len(found) == MOST:
            break
    return list(found.values())


def _arguments(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[tuple[Place, ast.expr]]:
    """Yield the literals that a function passes, as they are or by a name that it gave them."""
    named = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _is_literal(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
        name = called_name(call)
        places: list[tuple[int | str | None, ast.expr]] = [
            *enumerate(call.args), *((one.arg, one.value) for one in call.keywords)
        ]  # fmt: skip
        for place, value in places:
            node = named.get(value.id, value) if isinstance(value, ast.Name) else value
            if name and not waits(name, place) and place is not None and _is_literal(node):
                yield (name, place), node


def _bare_calls(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.Call]:
    """Return the calls that pass nothing, but for those that wait."""
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
    bare = [one for one in calls if not one.args and not one.keywords]
    return [one for one in bare if not waits(called_name(one), 0)]


def waits(name: str, place: int | str | None) -> bool:
    """Whether what is passed there says how long to wait: more of it only costs time."""
    return name in _WAITING or place == "timeout"


def called_name(call: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _is_literal(node: ast.expr) -> bool:
    if not isinstance(node, _LITERALS):
        return False
    try:
        syntax.literal(node)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


def _kind(node: ast.expr) -> type:
    value = node.value if isinstance(node, ast.Constant) else None
    return type(value) if value is not None else type(node)
