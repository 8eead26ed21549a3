"""Make the kept tests stronger: assertions, and further tests, for the faults that survive."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from pytest_aipipe.assertions import text
from pytest_aipipe.assertions.settle import Goal, Settled
from pytest_aipipe.assertions.shrink import shrunk
from pytest_aipipe.assertions.wide import Wide, widened
from pytest_aipipe.explore.trialed import Trialed
from pytest_aipipe.generate.choice import Chosen, Kills, choose, narrow
from pytest_aipipe.generate.kept import Fault, Kept
from pytest_aipipe.generate.model import Outcome
from pytest_aipipe.generate.proposals import proposals, weak_spots
from pytest_aipipe.generate.strength import by_line
from pytest_aipipe.mutate.model import KILLS, MutationScore

if TYPE_CHECKING:
    from pytest_aipipe.explore.explorer import Explorer
    from pytest_aipipe.generate.model import Candidate, Engine, Gap
    from pytest_aipipe.generate.pool import Pool, Spare
    from pytest_aipipe.generate.proposals import MakeScene
    from pytest_aipipe.generate.request import Request
    from pytest_aipipe.generate.strength import Faults

ROUNDS = 2
PROPOSED = 120  # candidates that are asked for in one round, over all symbols
LEAST_PROPOSED = 32
ASKING = 0.6  # the share of a round's time that is left for what was proposed
SYMBOLS = 6
WIDENED = 32
MOST_TESTS = 8
LEAST_NEW = 3
SESSION = 1.5  # seconds under which starting a child session is not worth it
FILE = "test_aipipe_wide_{}.py"


class Judge(Protocol):
    """Tries faults on test files that are not on the disk."""

    def __call__(self, files: dict[str, str], faults: Faults) -> MutationScore:
        """Return the verdicts of every fault on every test."""
        ...


Gate = Callable[["Settled", "Gap", str, frozenset[Fault]], Kept | None]
"""Admits a test alone, or returns None."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What sharpening works with."""

    request: Request
    explorer: Explorer
    engines: Sequence[Engine]
    scene: MakeScene
    pool: Pool
    judge: Judge
    gate: Gate
    left: Callable[[], float]


class Sharpener:
    """Works on the tests that were kept for their reach, until the time is spent."""

    def __init__(self, tools: Tools, faults: Faults) -> None:
        self.tools = tools
        self.faults = faults
        self._running: dict[tuple[str, str, str], Iterator[tuple[Candidate, Outcome]]] = {}
        self.open: frozenset[Fault] = frozenset(
            (path, one) for path, found in faults.items() for one in found
        )

    def sharpened(self, kept: Sequence[Kept]) -> list[Kept]:
        """Return ``kept`` with the assertions that notice more, and further tests at the end."""
        made = self._asserting_more(kept)
        for _ in range(ROUNDS):
            room = max(MOST_TESTS - len(made), LEAST_NEW if len(made) == len(kept) else 0)
            if not self.open or not room or self.tools.left() < 2 * SESSION:
                break
            made += self._further(room)
        return made

    def _asserting_more(self, kept: Sequence[Kept]) -> list[Kept]:
        bare = [one.settled.bare or one.settled.candidate for one in kept]
        wides = widened(bare, self.tools.explorer)
        kills = self._kills(wides, self.open)
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
        spares = self._spares()
        if not spares or self.tools.left() < 2 * SESSION:
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

    def _admitted(self, candidate: Candidate, chosen: Chosen, spare: Spare) -> Kept | None:
        (trial,) = self.tools.explorer.try_all([candidate])
        if trial.outcome.status != "passed":
            return None
        settled = Settled(candidate, Goal({}, {}), trial.outcome)
        return self.tools.gate(settled, spare.gap, spare.engine, chosen.kills)

    def _spares(self) -> list[Spare]:
        """Return candidates that run what survived: some of the pool's, after asking for more."""
        request, pool = self.tools.request, self.tools.pool
        lines = by_line(self._as_faults(self.open), request.root)
        enough = self.tools.left() * ASKING
        spots = weak_spots(lines, request.arcs, request.sources, request.modules)[:SYMBOLS]
        share = max(LEAST_PROPOSED, PROPOSED // max(1, len(spots)))
        for gap in spots:
            for engine in self.tools.engines:
                for candidate, outcome in islice(self._proposals(gap, engine), share):
                    pool.offer(candidate, outcome, gap, engine.name)
                    if self.tools.left() < enough:
                        break
        found = pool.through(lines, WIDENED)
        for one in found:
            pool.take(one)
        return found

    def _proposals(self, gap: Gap, engine: Engine) -> Iterator[tuple[Candidate, Outcome]]:
        """Return what an engine goes on to propose for a symbol: it is asked in each round."""
        key = (gap.path, gap.symbol, engine.name)
        if key not in self._running:
            run = self.tools.explorer.run
            self._running[key] = proposals(gap, engine, self.tools.scene, run)
        return self._running[key]

    def _smallest(self, tests: Sequence[tuple[Wide, Chosen]]) -> list[tuple[Candidate, Chosen]]:
        """Return the tests without the statements that they notice their faults without."""
        whole = [(wide.narrowed(chosen.checks), chosen) for wide, chosen in tests]
        short = [self._shrunk(candidate, chosen) for candidate, chosen in whole]
        changed = [n for n, one in enumerate(short) if one.function != whole[n][0].function]
        forms: list[Wide | None] = [
            Wide(short[n], (), tests[n][0].outcome) if n in changed else None
            for n in range(len(tests))
        ]
        wanted = frozenset(f for _, chosen in tests for f in chosen.kills)
        kills = self._kills(forms, wanted)
        return [
            (short[n] if chosen.kills & self.open <= kills[n].keys() else candidate, chosen)
            for n, (candidate, chosen) in enumerate(whole)
        ]

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
