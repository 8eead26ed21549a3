"""Accept: a catching test, which states the base's behaviour, becomes one of head's.

Its expectations are corrected by what head shows, and it is kept only when it then passes,
with an assertion, in two processes of different hash seeds.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.assertions.observe import asserted, has_assertion, with_result
from pytest_aipipe.assertions.repair import repaired
from pytest_aipipe.compare.files import ACCEPTED_HEADER, FOLDER, module_text, named
from pytest_aipipe.compare.sources import prelude_of
from pytest_aipipe.explore.explorer import Explorer
from pytest_aipipe.explore.process import unsandboxed
from pytest_aipipe.generate.model import Candidate
from pytest_aipipe.write.formatter import formatter_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_aipipe.explore.process import Launch
    from pytest_aipipe.generate.request import Naming, Request

_SEEDS = ("1", "4242")
_REPAIRS = 5
_PATIENCE = 15.0
_STATED = re.compile(
    r"_(raises_\w+|comes_to_an_end|gives_the_same_\w+|leaves_its_arguments_the_same|"
    r"warns_as_before|prints_the_same)$"
)
"""What the name of a catching test says of the base; see ``catching.describes``."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one catching test: its new text, or why there is none."""

    text: str = ""
    why_not: str = ""


def accept(
    request: Request, texts: Mapping[str, str], *, launch: Launch = unsandboxed
) -> dict[str, Accepted]:
    """Return, for each of ``texts`` (file name to catching test), the test of head's behaviour.

    Nothing is written. Raises :class:`aipipe_core.errors.SurroundingsError` where no child
    pytest comes up.
    """
    explorers = [
        Explorer(request, launch=launch, jobs=1, timeout=_PATIENCE, hash_seed=seed, guards=False)
        for seed in _SEEDS
    ]
    try:
        return {name: _accept(text, name, explorers, request) for name, text in texts.items()}
    finally:
        for explorer in explorers:
            explorer.close()


def _accept(text: str, file: str, explorers: list[Explorer], request: Request) -> Accepted:
    candidate = candidate_of(text)
    if candidate is None:
        return Accepted(why_not="it holds no test, or more than one")
    if "time_limit(" in candidate.function:
        return Accepted(why_not="head does not come to an end, which is no behaviour to keep")
    held = _hold(candidate, explorers[0])
    if held is None:
        return Accepted(why_not="what head does cannot be stated so that it holds")
    held = _renamed(held, request.naming)
    plain = module_text(held, ACCEPTED_HEADER)
    made = formatter_of(request.root).format(plain, request.target / file)
    for explorer in explorers:
        (trial,) = explorer.try_plain([(request.target / FOLDER / file, made, held.name)])
        if trial.outcome.status != "passed":
            return Accepted(why_not="on head it does not pass every time")
    return Accepted(made)


def candidate_of(text: str) -> Candidate | None:
    """Return the one test of a catching test's file, or None."""
    try:
        body = syntax.parse(text).body
    except (SyntaxError, ValueError):
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tests = [n for n in body if isinstance(n, kinds) and n.name.lower().startswith("test")]
    if len(tests) != 1:
        return None
    (test,) = tests
    first = min([test.lineno, *(d.lineno for d in test.decorator_list)])
    lines = text.splitlines()[first - 1 : test.end_lineno]
    return Candidate("accepted", test.name, "\n".join(lines) + "\n", prelude_of(text))


def _hold(candidate: Candidate, head: Explorer) -> Candidate | None:
    """Return the candidate with head's behaviour expected throughout, and asserted."""
    for _ in range(_REPAIRS):
        (trial,) = head.try_all([candidate])
        if trial.outcome.status == "passed":
            break
        fixed = repaired(candidate, trial)
        if fixed is None or fixed.function == candidate.function:
            return None
        candidate = fixed
    else:
        return None
    if has_assertion(candidate.function):
        return candidate
    looking = with_result(candidate)
    (trial,) = head.try_all([looking], look=True)
    stated = asserted(looking, trial, has=False)
    return stated if has_assertion(stated.function) else candidate


def _renamed(candidate: Candidate, naming: Naming) -> Candidate:
    """Return the candidate under a name that says nothing of the base any more."""
    found = re.search(r"def (\w+)\(", candidate.function)
    old = found[1] if found else candidate.name
    new = f"{_STATED.sub('', old)}_as_accepted"
    return named(candidate, new, naming)
