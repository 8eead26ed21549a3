"""A test with everything that can be observed of it, and the few assertions that are kept.

Which of many true statements about a result are worth writing is decided by what they are
good for: the wide form of a test numbers them as checks, faults in the code tell which of
them notice, and :meth:`Wide.narrowed` writes those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_aipipe.assertions import observe, text
from pytest_aipipe.assertions.caught import with_caught, without_idle_caught
from pytest_aipipe.assertions.clash import without_clash
from pytest_aipipe.assertions.printed import listening, without_idle_capsys
from pytest_aipipe.assertions.repair import add_imports, repaired
from pytest_aipipe.assertions.settle import MAX_REPAIRS
from pytest_aipipe.assertions.warned import expecting_warnings
from pytest_aipipe.mutate.checks import HEADER, numbered

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_aipipe.assertions.settle import Tries
    from pytest_aipipe.explore.fact import Fact
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Candidate, Outcome

MAX_CHECKS = 40
MAX_RESULT = 240  # characters; a longer value is asserted only where it is needed


@dataclass(frozen=True, slots=True)
class Wide:
    """A test that passes, and every further assertion that held of it twice.

    ``accident`` is where an error that it expects came from, or None.
    """

    candidate: Candidate
    facts: tuple[Fact, ...]
    outcome: Outcome
    raised_at: tuple[str, int] | None = None

    def module(self) -> str:
        """Return the text of a module in which the facts are numbered checks."""
        checked = add_imports(
            self.candidate, tuple(i for one in self.facts for i in one.imports if i)
        )
        source = text.append(checked.function, numbered([one.code for one in self.facts]))
        prelude = "\n".join(one for one in checked.prelude if "__future__" not in one)
        future = "\n".join(one for one in checked.prelude if "__future__" in one)
        return f"{future}\n{HEADER}\n{prelude}\n\n\n{source}"

    def narrowed(self, wanted: Collection[int]) -> Candidate:
        """Return the test with the facts of these numbers as assertions, in their order.

        What the call gave is always asserted, where it can be written; a test that would
        assert nothing gets its strongest fact.
        """
        chosen = sorted({*wanted, *self._result()})
        if not chosen and not observe.has_assertion(self.candidate.function) and self.facts:
            chosen = [min(range(len(self.facts)), key=lambda n: (-self.facts[n].strength, n))]
        facts = [self.facts[n] for n in chosen]
        source = self.candidate.function
        block = [one.code for one in facts]
        if block and not observe.ends_with_assert(source):
            block = ["", *block]
        changed = replace(self.candidate, function=text.append(source, block), observe=())
        changed = add_imports(changed, tuple(i for one in facts for i in one.imports if i))
        return without_idle_capsys(without_idle_caught(observe.without_idle_result(changed)))

    def _result(self) -> list[int]:
        """Return the number of the fact that says what the test's last call gave, if one does."""
        if not self.facts or observe.has_assertion(self.candidate.function):
            return []
        first = self.facts[0]
        telling = first.strength == observe.VALUE and not first.code.endswith(" is None")
        return [0] if telling and len(first.code) <= MAX_RESULT else []


def widened(candidates: Sequence[Candidate], explorer: Tries) -> list[Wide | None]:
    """Return each candidate's wide form; None for one that cannot be made to pass twice."""
    held = _held(candidates, explorer)
    asked = [one.looking for one in held if one is not None]
    seconds = iter(explorer.try_all(asked, look=True))
    return [_wide(one, next(seconds)) if one is not None else None for one in held]


@dataclass(frozen=True, slots=True)
class _Held:
    """A candidate that passed, with every call's result bound to a name."""

    looking: Candidate
    trial: Trialed
    raised_at: tuple[str, int] | None


def _held(candidates: Sequence[Candidate], explorer: Tries) -> list[_Held | None]:
    """Repair every candidate until it passes, all of them at a time."""
    found: list[_Held | None] = [None] * len(candidates)
    waiting = dict(enumerate(candidates))
    raised: dict[int, tuple[str, int] | None] = {}
    for _ in range(MAX_REPAIRS):
        order = sorted(waiting)
        # Binding a result moves no line, so what is said of lines is true of both forms.
        looking = [_looking(waiting[n]) for n in order]
        for number, look, trial in zip(
            order, looking, explorer.try_all(looking, look=True), strict=True
        ):
            candidate = waiting.pop(number)
            if trial.outcome.status == "passed":
                found[number] = _expecting(candidate, look, trial, raised.get(number), explorer)
            elif (fixed := repaired(candidate, trial)) is not None:
                raised[number] = trial.raised.at if trial.raised is not None else None
                waiting[number] = fixed
        if not waiting:
            break
    return found


def _looking(candidate: Candidate) -> Candidate:
    """Return the candidate with all that it gives, and the error that it expects, in sight."""
    return with_caught(observe.with_all_results(candidate))


def _expecting(
    candidate: Candidate,
    looking: Candidate,
    trial: Trialed,
    raised_at: tuple[str, int] | None,
    explorer: Tries,
) -> _Held | None:
    """Expect the warnings that the trial saw, and listen to what it printed, where it did."""
    expecting = expecting_warnings(candidate, trial, explorer)
    if expecting is not candidate:
        looking = _looking(expecting)
        (trial,) = explorer.try_all([looking], look=True)
    if trial.outcome.status != "passed":
        return None
    heard = listening(looking, trial)
    if heard is not looking:
        (again,) = explorer.try_all([heard], look=True)
        if again.outcome.status == "passed":
            looking, trial = heard, again
    return _Held(looking, trial, raised_at)


def _wide(held: _Held, second: Trialed) -> Wide | None:
    if second.outcome.status != "passed":
        return None
    stable = replace(
        held.trial,
        facts={
            name: tuple(one for one in facts if one in second.facts.get(name, ()))
            for name, facts in held.trial.facts.items()
        },
    )
    plain = observe.with_result(observe.assert_in_place(held.looking, stable))
    facts = [without_clash(plain, one) for one in observe.every(plain, stable)]
    if not facts and not observe.has_assertion(plain.function):
        return None
    return Wide(plain, tuple(facts[:MAX_CHECKS]), held.trial.outcome, held.raised_at)
