"""Warnings of the changed code, expected where they are given.

A test that calls what is deprecated holds under the project's own ``filterwarnings`` and
without them only when it says that it expects the warning.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.repair import add_imports, is_warning, prelude_height, warned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.assertions.settle import Tries
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Candidate

MAX_WARNINGS = 3


def expecting_warnings(candidate: Candidate, trial: Trialed, explorer: Tries) -> Candidate:
    """Return the candidate with the warnings that the changed code gives expected.

    Where a warning comes from is found by making it an error: the traceback ends in a
    changed file, or the warning is no concern of this test. Nothing is run where ``trial``
    saw no warning.
    """
    seen = list(dict.fromkeys((module, name) for module, name, _ in trial.warnings))
    if not seen:
        return candidate
    for _ in range(MAX_WARNINGS):
        strict = _strict(candidate, seen)
        (shown,) = explorer.try_all([strict])
        raised = shown.raised
        if raised is None or raised.line is None or not is_warning(raised):
            return candidate
        line = raised.line - prelude_height(strict) - _height(seen)
        changed = warned(candidate, raised, line)
        if changed is None:
            return candidate
        (again,) = explorer.try_all([changed])
        if again.outcome.status != "passed":
            return candidate
        candidate = changed
    return candidate


def _strict(candidate: Candidate, seen: Sequence[tuple[str, str]]) -> Candidate:
    """Return the candidate with these categories of warnings made errors."""
    marks = "".join(f'@pytest.mark.filterwarnings("error::{_category(*one)}")\n' for one in seen)
    marked = replace(candidate, function=marks + candidate.function)
    return add_imports(marked, ("import pytest",))


def _category(module: str, name: str) -> str:
    return name if module == "builtins" else f"{module}.{name}"


def _height(seen: Sequence[tuple[str, str]]) -> int:
    return len(seen)
