"""Make the kept tests stronger: assertions, and further tests, for the faults that survive."""

from __future__ import annotations

import ast
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_aipipe.assertions import text
from pytest_aipipe.assertions.settle import Goal, Settled
from pytest_aipipe.assertions.shrink import shrunk
from pytest_aipipe.assertions.wide import Wide, widened
from pytest_aipipe.explore.trialed import Trialed
from pytest_aipipe.generate.choice import Chosen, Kills, choose, narrow
from pytest_aipipe.generate.model import Outcome
from pytest_aipipe.generate.strength import by_line
from pytest_aipipe.generate.supply import Supply
from pytest_aipipe.mutate.model import KILLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.generate.kept import Fault, Kept
    from pytest_aipipe.generate.model import Candidate
    from pytest_aipipe.generate.pool import Spare
    from pytest_aipipe.generate.strength import Faults
    from pytest_aipipe.generate.tools import Tools

ROUNDS = 2
WEAK = 1 / 5  # of the faults: where more are left open, and MANY at least, more time is given
MANY = 8
WIDENED = 32
LEAST_WIDENED = 6
LOOKING = 0.3
LOOKS = 3  # at one test that is widened
MOST_TESTS = 8  # or one for so many faults, where a change has many
FAULTS_A_TEST = 10
LEAST_NEW = 3
FEW, PER_OPEN = 1 / 20, 1 / 60  # of the budget, for further tests: as much as they may bring
LONG = 1 / 12  # of the budget: what is kept for a session of faults is no more
SESSION = 1.5  # seconds under which starting a child session is not worth it
FILE = "test_aipipe_wide_{}.py"


class Sharpener:
    """Works on the tests that were kept for their reach, until the time is spent."""

    def __init__(self, tools: Tools, faults: Faults) -> None:
        self.tools = tools
        self.faults = faults
        self.made: list[Kept] = []
        self.supply = Supply(tools)
        self.pace = 0.0  # seconds for widening one test
        self.session = SESSION  # seconds that trying faults took the first time
        self.open: frozenset[Fault] = frozenset(
            (path, one) for path, found in faults.items() for one in found
        )

    def sharpened(self, kept: Sequence[Kept]) -> list[Kept]:
        """Return ``kept`` with the assertions that notice more, and further tests at the end."""
        self.made = self._asserting_more(kept)
        worth_it = self.tools.request.budget * (FEW + PER_OPEN * len(self.open))
        self.tools.bound(worth_it + self.session)
        worth = self._go_on(len(kept))
        while worth and len(self.open) > max(MANY - 1, WEAK * sum(map(len, self.faults.values()))):
            if not self.tools.extend() or self.tools.left() < 2 * self.session:
                break  # what is left does not suffice for one more round
            worth = self._go_on(len(kept))
        return self.made

    def _go_on(self, had: int) -> bool:
        """Add further tests for what is open, some rounds long; return whether more may help."""
        helps = True
        for _ in range(ROUNDS):
            new = len(self.made) - had
            room = max(self._most() - len(self.made), LEAST_NEW - new)
            if not self.open or room <= 0:
                return False
            if self.tools.left() < 2 * self.session:
                break
            found = self._further(room)
            helps = bool(found)
            self.made += found
        return helps

    def _most(self) -> int:
        """Return how many tests there may be: a large change has more to show than a small one."""
        return max(MOST_TESTS, sum(map(len, self.faults.values())) // FAULTS_A_TEST)

    def _asserting_more(self, kept: Sequence[Kept]) -> list[Kept]:
        bare = [one.settled.bare or one.settled.candidate for one in kept]
        started = time.monotonic()
        wides = widened(bare, self.tools.explorer)
        self.pace = (time.monotonic() - started) / max(1, len(bare))
        started = time.monotonic()
        kills = self._kills(wides, self.open)
        took = time.monotonic() - started
        self.session = min(max(SESSION, took), LONG * self.tools.request.budget)
        made: list[Kept] = []
        for number, (one, wide) in enumerate(zip(kept, wides, strict=True)):
            chosen = narrow(number, kills[number], self.open)
            stronger = self._with_checks(one, wide, chosen) if wide and chosen.kills else None
            if stronger is None:
                by_body = frozenset(f for f, checks in kills[number].items() if not checks)
                stronger = replace(one, kills=by_body)
            made.append(stronger)
            self.open -= stronger.kills
        return made

    def _with_checks(self, one: Kept, wide: Wide, chosen: Chosen) -> Kept | None:
        candidate = wide.narrowed(chosen.checks)
        (trial,) = self.tools.explorer.try_all([candidate])
        if trial.outcome.status != "passed":
            return None
        settled = replace(one.settled, candidate=candidate, outcome=trial.outcome)
        return self.tools.gate(settled, one.gap, one.engine, chosen.kills)

    def _further(self, room: int) -> list[Kept]:
        lines = by_line(self._as_faults(self.open), self.tools.request.root)
        spares = self.supply.take(lines, self.made, self._affordable)
        if not spares or self.tools.left() < SESSION:
            return []
        wides = widened([one.candidate for one in spares], self.tools.explorer)
        kills = self._kills(wides, self.open)
        costs = [one.size + 4 * one.candidate.mocked for one in spares]
        picked = choose(kills, costs, self.open, room)
        tests = [(wides[one.place], one) for one in picked]
        found = self._smallest([(wide, one) for wide, one in tests if wide is not None])
        made: list[Kept] = []
        for candidate, chosen in found:
            kept = self._admitted(candidate, chosen, spares[chosen.place])
            if kept is not None:
                made.append(kept)
                self.open -= chosen.kills
        return made

    def _affordable(self) -> int:
        """How many candidates can be looked at in a share of the time that is left."""
        share = self.tools.left() * LOOKING
        pace = min(self.pace, LOOKS * self.supply.pace)
        return min(WIDENED, max(LEAST_WIDENED, int(share / max(pace, 1e-3))))

    def _admitted(self, candidate: Candidate, chosen: Chosen, spare: Spare) -> Kept | None:
        (trial,) = self.tools.explorer.try_all([candidate])
        if trial.outcome.status != "passed":
            return None
        settled = Settled(candidate, Goal({}, {}), trial.outcome)
        return self.tools.gate(settled, spare.gap, spare.engine, chosen.kills)

    def _smallest(self, tests: Sequence[tuple[Wide, Chosen]]) -> list[tuple[Candidate, Chosen]]:
        """Return the tests without the statements that they notice their faults without."""
        whole = [(wide.narrowed(chosen.checks), chosen) for wide, chosen in tests]
        short = [self._shrunk(candidate, chosen) for candidate, chosen in whole]
        further = self._further_faults([wide for wide, _ in tests])
        forms: list[Wide | None] = [
            Wide(one, (), tests[n][0].outcome)
            if further or one.function != whole[n][0].function
            else None
            for n, one in enumerate(short)
        ]
        wanted = frozenset(f for _, chosen in tests for f in chosen.kills)
        kills = self._kills(forms, wanted | further)
        self.open |= further.difference(*kills)
        return [
            (short[n] if chosen.kills & self.open <= kills[n].keys() else candidate, chosen)
            for n, (candidate, chosen) in enumerate(whole)
        ]

    def _further_faults(self, wides: Sequence[Wide]) -> frozenset[Fault]:
        """Add the faults of changed lines that no test at hand runs, but these do."""
        more: dict[str, frozenset[int]] = {}
        for one in wides:
            for path, lines in one.outcome.lines.items():
                more[path] = more.get(path, frozenset()) | lines
        further: set[Fault] = set()
        for path, found in self.tools.faults(self.made, more).items():
            known = set(self.faults.get(path, ()))
            new = [one for one in found if one not in known]
            if new:
                self.faults[path] = [*self.faults.get(path, ()), *new]
                further |= {(path, one) for one in new}
        return frozenset(further)

    def _shrunk(self, candidate: Candidate, chosen: Chosen) -> Candidate:
        request = self.tools.request
        lines = by_line(self._as_faults(chosen.kills), request.root)

        def keeps(one: Trialed) -> bool:
            return one.outcome.status == "passed" and all(
                wanted & one.outcome.lines.get(path, frozenset()) for path, wanted in lines.items()
            )

        asserted = _assertions(candidate)

        def attempt(batch: Sequence[Candidate]) -> list[Trialed]:
            trials = self.tools.explorer.try_all(batch)
            return [
                trial if asserted <= _assertions(one) else Trialed(Outcome("failed"))
                for one, trial in zip(batch, trials, strict=True)
            ]

        return shrunk(candidate, attempt, keeps)

    def _kills(self, wides: Sequence[Wide | None], wanted: frozenset[Fault]) -> list[Kills]:
        """Return for each test the faults of ``wanted`` that it notices."""
        names = {FILE.format(n): n for n, one in enumerate(wides) if one is not None}
        files = {name: one.module() for name, n in names.items() if (one := wides[n]) is not None}
        found: list[dict[Fault, tuple[int, ...]]] = [{} for _ in wides]
        if not files or not wanted or self.tools.left() < SESSION:
            return list(found)
        score = self.tools.judge(files, self._as_faults(wanted))
        for result in score.results:
            if result.verdict not in KILLS:
                continue
            for nodeid in result.killers:
                number = names.get(nodeid.partition("::")[0].rsplit("/", 1)[-1])
                if number is not None:
                    before = found[number].get((result.path, result.mutant))
                    tripped = result.tripped.get(nodeid, ())
                    both = tripped if before is None else (*before, *tripped) if before else ()
                    found[number][result.path, result.mutant] = both
        return list(found)

    def _as_faults(self, wanted: frozenset[Fault]) -> Faults:
        """Return ``wanted`` by module, in the order in which all faults stand."""
        found = {
            path: [one for one in mutants if (path, one) in wanted]
            for path, mutants in self.faults.items()
        }
        return {path: mutants for path, mutants in found.items() if mutants}


def _assertions(candidate: Candidate) -> frozenset[str]:
    """Return the last block of assertions: they were chosen for what they notice."""
    last: list[str] = []
    function = text.test_function(candidate.function)
    for node in reversed(function.body if function else []):
        if not isinstance(node, ast.Assert):
            break
        last.append(ast.unparse(node))
    return frozenset(last)
