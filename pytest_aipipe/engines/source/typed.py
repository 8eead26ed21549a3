"""Standard input with something in it, for a test whose code reads what a person would type."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.source.writer import prelude_of

if TYPE_CHECKING:
    from pytest_aipipe.generate.model import Candidate, Outcome

_TYPED = ("text", "y", "1")
_REFUSED = "reading from stdin while output is captured"


def reads_input(outcome: Outcome) -> bool:
    """Whether a run ended since pytest lets nobody type anything."""
    return outcome.status == "raised" and _REFUSED in (outcome.raised or "")


def with_input(candidate: Candidate) -> list[Candidate]:
    """Return ``candidate`` with lines on standard input: a word, a consent, a number.

    None for a test that is a method, for ``unittest`` passes no fixtures.
    """
    function = with_fixtures(candidate, "monkeypatch")
    if function is None:
        return []
    body = function.body
    found = []
    for word in _TYPED:
        line = f"monkeypatch.setattr('sys.stdin', StringIO({word + chr(10)!r}))"
        function.body = [*syntax.parse(line).body, *body]
        prelude = prelude_of((*candidate.prelude, "from io import StringIO"))
        source = ast.unparse(ast.fix_missing_locations(function)) + "\n"
        note = f"{candidate.note} with {word!r} typed".strip()
        found.append(replace(candidate, function=source, prelude=prelude, note=note))
    return found


def with_fixtures(candidate: Candidate, *names: str) -> ast.FunctionDef | None:
    """Return the test function of a candidate, given these fixtures as well.

    None for a test that is a method, for ``unittest`` passes no fixtures.
    """
    try:
        tree = syntax.parse(candidate.function)
    except SyntaxError:
        return None
    function = tree.body[0] if tree.body else None
    if not isinstance(function, ast.FunctionDef) or function.args.defaults:
        return None
    given = {one.arg for one in function.args.args}
    function.args.args += [ast.arg(arg=name) for name in names if name not in given]
    return function
