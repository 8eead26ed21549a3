"""A test with everything that can be observed of it, and the few assertions that are kept.

Which of many true statements about a result are worth writing is decided by what they are
good for: the wide form of a test numbers them as checks, faults in the code tell which of
them notice, and :meth:`Wide.narrowed` writes those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_aipipe.assertions import observe, text
from pytest_aipipe.assertions.clash import without_clash
from pytest_aipipe.assertions.repair import add_imports, repaired
from pytest_aipipe.assertions.settle import MAX_REPAIRS
from pytest_aipipe.assertions.warned import expecting_warnings
from pytest_aipipe.mutate.checks import HEADER, numbered

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_aipipe.assertions.settle import Tries
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.explore.values import Fact
    from pytest_aipipe.generate.model import Candidate, Outcome

MAX_CHECKS = 24


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

        A test that would assert nothing gets its strongest fact.
        """
        chosen = sorted(wanted)
        if not chosen and not observe.has_assertion(self.candidate.function) and self.facts:
            chosen = [min(range(len(self.facts)), key=lambda n: (-self.facts[n].strength, n))]
        facts = [self.facts[n] for n in chosen]
        source = self.candidate.function
        block = [one.code for one in facts]
        if block and not observe.ends_with_assert(source):
            block = ["", *block]
        changed = replace(self.candidate, function=text.append(source, block), observe=())
        changed = add_imports(changed, tuple(i for one in facts for i in one.imports if i))
        return observe.without_idle_result(changed)


def widened(candidates: Sequence[Candidate], explorer: Tries) -> list[Wide | None]:
    """Return each candidate's wide form; None for one that cannot be made to pass twice."""
    held = _held(candidates, explorer)
    looking = [observe.with_all_results(one[0]) if one else None for one in held]
    asked = [one for one in looking if one is not None]
    trials = iter(
        zip(explorer.try_all(asked, look=True), explorer.try_all(asked, look=True), strict=True)
    )
    found: list[Wide | None] = []
    for one, before in zip(looking, held, strict=True):
        if one is None or before is None:
            found.append(None)
            continue
        first, second = next(trials)
        found.append(_wide(one, first, second, before[1]))
    return found


Held = tuple["Candidate", tuple[str, int] | None]


def _held(candidates: Sequence[Candidate], explorer: Tries) -> list[Held | None]:
    """Repair every candidate until it passes, all of them at a time."""
    found: list[Held | None] = [None] * len(candidates)
    waiting: dict[int, Held] = {n: (one, None) for n, one in enumerate(candidates)}
    for _ in range(MAX_REPAIRS):
        order = sorted(waiting)
        trials = explorer.try_all([waiting[n][0] for n in order], look=True)
        for number, trial in zip(order, trials, strict=True):
            candidate, at = waiting.pop(number)
            if trial.outcome.status == "passed":
                found[number] = expecting_warnings(candidate, trial, explorer), at
                continue
            fixed = repaired(candidate, trial)
            if fixed is not None:
                at = trial.raised.at if trial.raised is not None else at
                waiting[number] = fixed, at
        if not waiting:
            break
    return found


def _wide(
    looking: Candidate, first: Trialed, second: Trialed, at: tuple[str, int] | None
) -> Wide | None:
    if first.outcome.status != "passed" or second.outcome.status != "passed":
        return None
    stable = replace(
        first,
        facts={
            name: tuple(one for one in facts if one in second.facts.get(name, ()))
            for name, facts in first.facts.items()
        },
    )
    plain = observe.with_result(observe.assert_in_place(looking, stable))
    facts = [without_clash(plain, one) for one in observe.every(plain, stable)]
    if not facts and not observe.has_assertion(plain.function):
        return None
    return Wide(plain, tuple(facts[:MAX_CHECKS]), first.outcome, at)
