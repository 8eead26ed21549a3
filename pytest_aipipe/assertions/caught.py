"""The error that a test expects, bound to a name: more than its message may tell of a fault."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.assertions import text

if TYPE_CHECKING:
    from pytest_aipipe.generate.model import Candidate

_NAMES = ("caught", "caught_error")


def with_caught(candidate: Candidate) -> Candidate:
    """Return the candidate with the error that its last block expects bound, and observed.

    Unchanged where its last statement is no ``with pytest.raises(...)``, or binds it already. No
    line moves.
    """
    block = _last_block(candidate.function)
    used = {n.id for n in ast.walk(syntax.parse(candidate.function)) if isinstance(n, ast.Name)}
    name = next((one for one in _NAMES if one not in used), None)
    if block is None or name is None or block.items[0].optional_vars is not None:
        return candidate
    call = block.items[0].context_expr
    lines = candidate.function.splitlines()
    line, column = (call.end_lineno or call.lineno) - 1, call.end_col_offset or 0
    at = len(lines[line].encode()[:column].decode())
    lines[line] = f"{lines[line][:at]} as {name}{lines[line][at:]}"
    observe = (*candidate.observe, f"{name}.value")
    return replace(candidate, function="\n".join(lines) + "\n", observe=observe)


def without_idle_caught(candidate: Candidate) -> Candidate:
    """Return the candidate without the name of an expected error that nothing reads."""
    read = _names(candidate.function)
    for name in _NAMES:
        if f") as {name}:" in candidate.function and name not in read:
            function = candidate.function.replace(f") as {name}:", "):")
            return replace(candidate, function=function)
    return candidate


def _last_block(source: str) -> ast.With | None:
    """Return the ``with pytest.raises(...)``, and nothing else, that a test ends with."""
    function = text.test_function(source)
    last = function.body[-1] if function is not None and function.body else None
    if not isinstance(last, ast.With) or len(last.items) != 1:
        return None
    call = last.items[0].context_expr
    expects = isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.raises"
    return last if expects else None


def _names(source: str) -> list[str]:
    """Return the names that a test reads."""
    return [
        node.id
        for node in ast.walk(syntax.parse(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    ]
