"""From a candidate that reached something new to a test that is ready for the gate."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from aipipe_core import syntax
from pytest_aipipe.assertions import observe, text
from pytest_aipipe.assertions.common import in_both
from pytest_aipipe.assertions.printed import without_idle_capsys
from pytest_aipipe.assertions.repair import repaired, without_messages
from pytest_aipipe.assertions.rounds import with_counted_rounds
from pytest_aipipe.assertions.shrink import shrunk
from pytest_aipipe.assertions.warned import expecting_warnings

if TYPE_CHECKING:
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Arc, Candidate, Outcome

MAX_REPAIRS = 4
_ACCIDENTS = frozenset(
    {"TypeError", "AttributeError", "NameError", "UnboundLocalError", "IndexError", "KeyError"}
    | {"RecursionError", "AssertionError", "ZeroDivisionError", "UnicodeDecodeError"}
)


class Tries(Protocol):
    """What settling asks of the explorer."""

    def try_all(self, batch: Sequence[Candidate], *, look: bool = False) -> Sequence[Trialed]:
        """Try every candidate; ``look`` tells what its values were worth."""
        ...


@dataclass(frozen=True, slots=True)
class Goal:
    """What a test must reach to be worth writing: lines and branches, by path."""

    lines: Mapping[str, frozenset[int]]
    arcs: Mapping[str, frozenset[Arc]]

    def reached(self, outcome: Outcome) -> Goal:
        """Return the part of the goal that ``outcome`` reached."""
        return Goal(
            {p: n & outcome.lines.get(p, frozenset()) for p, n in self.lines.items()},
            {p: n & outcome.arcs.get(p, frozenset()) for p, n in self.arcs.items()},
        )

    def within(self, outcome: Outcome) -> bool:
        """Return whether ``outcome`` reached all of it."""
        return self.reached(outcome) == self

    @property
    def size(self) -> int:
        """How many lines and branches."""
        return sum(map(len, self.lines.values())) + sum(map(len, self.arcs.values()))


@dataclass(frozen=True, slots=True)
class Settled:
    """A test that passed once in the explorer, with what it reached of its goal.

    ``accident`` is set when it expects an error that no ``raise`` of the code asks for;
    ``bare`` is the test before it was given assertions on what was observed.
    """

    candidate: Candidate
    reached: Goal
    outcome: Outcome
    accident: bool = False
    bare: Candidate | None = None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Why a candidate did not become a test."""

    reason: str


IsRaise = Callable[[str, int], bool]
"""Whether a line of a changed file is a ``raise`` (or ``assert``) statement."""


def settle(
    candidate: Candidate,
    goal: Goal,
    explorer: Tries,
    is_raise: IsRaise,
    *,
    elsewhere: Tries | None = None,
) -> Settled | Unsettled:
    """Repair, shrink and assert ``candidate``; the goal is what it is to reach at least in part.

    What is asserted held twice, and ``elsewhere`` as well where that is given: in a process with
    another hash seed, say.
    """
    held = _hold(candidate, goal, explorer)
    if isinstance(held, Unsettled):
        return held
    candidate, trial, accident_at = held
    target = goal.reached(trial.outcome)
    if not target.size:
        return Unsettled("what it reached is no longer reached once it passes")

    def attempt(batch: Sequence[Candidate]) -> Sequence[Trialed]:
        return explorer.try_all(batch)

    def keeps(one: Trialed) -> bool:
        return one.outcome.status == "passed" and target.within(one.outcome)

    candidate = shrunk(candidate, attempt, keeps)
    candidate = replace(candidate, prelude=tuple(candidate.prelude))
    has = observe.has_assertion(candidate.function, warnings=False)
    candidate = expecting_warnings(candidate, trial, explorer)
    looking = observe.with_all_results(candidate)
    stable = _seen_twice(looking, explorer, elsewhere)
    if stable is None and elsewhere is not None:
        # The message that was expected may be another one there; the kind of error is not.
        candidate = without_messages(candidate)
        looking = observe.with_all_results(candidate)
        stable = _seen_twice(looking, explorer, elsewhere)
    if stable is not None and not _says_something(looking, stable, has=has):
        counted = with_counted_rounds(candidate)
        looking = looking if counted is None else observe.with_all_results(counted)
        stable = stable if counted is None else _seen_twice(looking, explorer, elsewhere)
    if stable is None:
        return Unsettled("does not pass every time")
    # What a call gave is seen when the test is over: where the test changed it meanwhile, it
    # cannot be asserted where the call stands.
    last = None
    for known in (stable, observe.without_results(stable)):
        plain, final = _asserting(looking, known, has=has)
        if not observe.has_assertion(final.function):
            return Unsettled("nothing that it could assert is stable")
        (last,) = explorer.try_all([final])
        if last.outcome.status == "passed" and target.within(last.outcome):
            accident = accident_at is not None and not is_raise(*accident_at)
            return Settled(final, target, last.outcome, accident=accident, bare=plain)
    detail = last.outcome.detail[:160] if last is not None else ""
    return Unsettled(f"its assertions do not hold a second time ({detail})")


def _seen_twice(looking: Candidate, explorer: Tries, elsewhere: Tries | None) -> Trialed | None:
    """Return a run with the facts that another one showed too; None where one did not pass.

    Of what differs ``elsewhere`` the parts stay that do not: here it was the same both times, so
    that no chance is in it.
    """
    (seen,) = explorer.try_all([looking], look=True)
    (again,) = explorer.try_all([looking], look=True)
    if seen.outcome.status != "passed" or again.outcome.status != "passed":
        return None
    facts = {
        name: tuple(f for f in found if f in again.facts.get(name, ()))
        for name, found in seen.facts.items()
    }
    if elsewhere is not None:
        (third,) = elsewhere.try_all([looking], look=True)
        if third.outcome.status != "passed":
            return None
        facts = in_both(facts, third.facts)
    return replace(seen, facts=facts)


def _says_something(looking: Candidate, seen: Trialed, *, has: bool) -> bool:
    _, final = _asserting(looking, seen, has=has)
    return observe.has_assertion(final.function)


def _asserting(looking: Candidate, seen: Trialed, *, has: bool) -> tuple[Candidate, Candidate]:
    """Return the test with its calls as they were, and the one that asserts what was seen."""
    plain = observe.with_result(observe.assert_in_place(looking, seen))
    final = observe.without_idle_result(observe.asserted(plain, seen, has=has))
    return plain, without_idle_capsys(final)


def _hold(
    candidate: Candidate, goal: Goal, explorer: Tries
) -> tuple[Candidate, Trialed, tuple[str, int] | None] | Unsettled:
    """Repair until it passes; also return where an error that is no ``raise`` came from."""
    accident: tuple[str, int] | None = None
    for _ in range(MAX_REPAIRS):
        (trial,) = explorer.try_all([candidate], look=True)
        if trial.outcome.status == "passed":
            if not goal.reached(trial.outcome).size:
                return Unsettled("what it reached is no longer reached once it passes")
            return candidate, trial, accident
        fixed = repaired(candidate, trial)
        if fixed is None:
            return Unsettled(f"{trial.outcome.status}: {trial.outcome.detail[:200]}")
        if trial.raised is not None and observe.expects_error(fixed.function):
            expected = trial.raised.type_name in _ACCIDENTS or _is_of_pytest(trial.raised.text)
            accident = (trial.raised.at or ("", 0)) if expected else None
        candidate = fixed
    return Unsettled("could not be made to pass")


def is_accident(outcome: Outcome, is_raise: IsRaise) -> bool:
    """Whether a run ended in an error of the kind that wrong input makes, and nobody raises."""
    if outcome.status != "raised":
        return False
    kind, _, message = (outcome.raised or "").partition(":")
    if _is_of_pytest(message):
        return True
    return kind in _ACCIDENTS and not is_raise(*(outcome.raised_at or ("", 0)))


def _is_of_pytest(message: str) -> bool:
    """Whether an error is pytest's own, who lets nobody type anything: no code asks for it."""
    return message.strip().startswith("pytest: ")


def raise_lines(source: str) -> frozenset[int]:
    """Return the lines of ``source`` that belong to a ``raise`` or ``assert`` statement."""
    try:
        tree = syntax.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise | ast.Assert)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    )


def body_size(candidate: Candidate) -> int:
    """Return how many statements the test has."""
    return len(text.statements(candidate.function))
