"""The rounds of a test's loop, counted: what is left to assert where the code gives the rounds."""

from __future__ import annotations

import ast
import builtins
from dataclasses import replace as with_changes
from typing import TYPE_CHECKING

from pytest_aipipe.assertions import text

if TYPE_CHECKING:
    from pytest_aipipe.generate.model import Candidate

_NAMES = ("rounds", "rounds_seen", "rounds_counted")
_BUILTINS = frozenset(dir(builtins))


def with_counted_rounds(candidate: Candidate) -> Candidate | None:
    """Return the candidate with the rounds of its last loop counted, and the count observed.

    None where it has no loop over something that the code gave: how often a loop over the
    test's own values goes round says nothing of the code.
    """
    function = text.test_function(candidate.function)
    if function is None:
        return None
    found = text.statements(candidate.function)
    given = _given_by_calls(found)
    loops = [
        one
        for one in found
        if isinstance(one.node, ast.For | ast.AsyncFor) and _is_given(one.node.iter, given)
    ]
    used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    name = next((one for one in _NAMES if one not in used), None)
    if not loops or name is None:
        return None
    loop = loops[-1]
    first = loop.node.body[0]  # type: ignore[attr-defined]
    if first.lineno == loop.node.lineno:
        return None
    source = candidate.function
    lines = source.splitlines()
    lines.insert(first.lineno - 1, f"{text.indent_of(source, first.lineno)}{name} += 1")
    lines.insert(loop.start - 1, f"{text.indent_of(source, loop.start)}{name} = 0")
    counted = "\n".join(lines) + "\n"
    if text.test_function(counted) is None:
        return None
    return with_changes(candidate, function=counted, observe=(*candidate.observe, name))


def _given_by_calls(found: list[text.Statement]) -> frozenset[str]:
    """Return the names that hold what a call gave that is none of a builtin."""
    return frozenset(
        target.id
        for one in found
        if isinstance(one.node, ast.Assign) and _calls(one.node.value)
        for target in one.node.targets
        if isinstance(target, ast.Name)
    )


def _is_given(iterated: ast.expr, given: frozenset[str]) -> bool:
    names = {n.id for n in ast.walk(iterated) if isinstance(n, ast.Name)}
    return _calls(iterated) or bool(names & given)


def _calls(value: ast.expr) -> bool:
    return any(
        isinstance(n, ast.Call) and not (isinstance(n.func, ast.Name) and n.func.id in _BUILTINS)
        for n in ast.walk(value)
    )
