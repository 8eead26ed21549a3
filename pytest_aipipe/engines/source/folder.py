"""A temporary folder to work in, for a test whose code writes where the project stands."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.assertions.repair import is_of_the_sandbox
from pytest_aipipe.engines.source.typed import with_fixtures

if TYPE_CHECKING:
    from pytest_aipipe.generate.model import Candidate, Outcome

_OUTSIDE = "outside its temporary folder"
_FILE = re.compile(r"[\w-]+\.[a-z]{1,5}")
_MOST_FILES = 2


def writes_outside(outcome: Outcome) -> bool:
    """Whether a run wrote outside its folder, or would have where the sandbox let it."""
    _, _, message = (outcome.raised or "").partition(": ")
    return is_of_the_sandbox(message) or _OUTSIDE in outcome.refused


def within_folder(candidate: Candidate) -> list[Candidate]:
    """Return ``candidate`` in a folder of its own: without the files it names, and with them.

    None for a test that is a method, for ``unittest`` passes no fixtures, or is in one already.
    """
    if "monkeypatch.chdir(" in candidate.function:
        return []
    function = with_fixtures(candidate, "tmp_path", "monkeypatch")
    if function is None:
        return []
    names = {n.value for n in ast.walk(function) if isinstance(n, ast.Constant)
             and isinstance(n.value, str) and _FILE.fullmatch(n.value)}  # fmt: skip
    made = [f"(tmp_path / {name!r}).write_text('text')" for name in sorted(names)[:_MOST_FILES]]
    body = function.body
    found = []
    for lines in ([], made) if made else ([],):
        text = "\n".join((*lines, "monkeypatch.chdir(tmp_path)"))
        function.body = [*syntax.parse(text).body, *body]
        source = ast.unparse(ast.fix_missing_locations(function)) + "\n"
        found.append(replace(candidate, function=source))
    return found
