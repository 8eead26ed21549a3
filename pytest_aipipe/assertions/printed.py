"""What a test printed, asserted through ``capsys``."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_aipipe.assertions import text
from pytest_aipipe.explore.fact import is_stable_text
from pytest_aipipe.explore.rebuild import source_of

if TYPE_CHECKING:
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Candidate

MAX_PRINTED = 400
_READ = "capsys.readouterr()"


def on_output(candidate: Candidate, trial: Trialed) -> Candidate:
    """Return the candidate with an assertion on what it printed, where that is all there is."""
    for attribute, printed in (("out", trial.stdout), ("err", trial.stderr)):
        if not _is_telling(printed):
            continue
        source = _with_capsys(candidate)
        written = source_of(printed)
        if source is None or written is None:
            continue
        fact = f"assert {_READ}.{attribute} == {written.code}"
        source = text.append(source, ["", fact])
        return replace(candidate, function=source, observe=())
    return candidate


def listening(candidate: Candidate, trial: Trialed) -> Candidate:
    """Return the candidate with what it prints observed, where the trial saw it print."""
    if not _is_telling(trial.stdout) and not _is_telling(trial.stderr):
        return candidate
    source = _with_capsys(candidate)
    if source is None:
        return candidate
    return replace(candidate, function=source, observe=(*candidate.observe, _READ))


def without_idle_capsys(candidate: Candidate) -> Candidate:
    """Return the candidate without a ``capsys`` that nothing in it reads."""
    function = text.test_function(candidate.function)
    if function is None or "capsys" not in {one.arg for one in function.args.args}:
        return candidate
    if any(isinstance(n, ast.Name) and n.id == "capsys" for n in ast.walk(function)):
        return candidate
    lines = candidate.function.splitlines()
    head = lines[function.lineno - 1]
    for written in (", capsys", "capsys, ", "capsys"):
        if written in head:
            lines[function.lineno - 1] = head.replace(written, "", 1)
            return replace(candidate, function="\n".join(lines) + "\n")
    return candidate


def _with_capsys(candidate: Candidate) -> str | None:
    if "TestCase" in candidate.function:
        return None
    return text.add_argument(candidate.function, "capsys")


def _is_telling(printed: str) -> bool:
    return bool(printed) and len(printed) <= MAX_PRINTED and is_stable_text(printed)
