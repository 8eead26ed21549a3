"""Make the kept tests stronger: assertions, and further tests, for the faults that survive."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from pytest_aipipe.assertions import text
from pytest_aipipe.assertions.settle import Goal, Settled
from pytest_aipipe.assertions.shrink import shrunk
from pytest_aipipe.assertions.wide import Wide, widened
from pytest_aipipe.explore.trialed import Trialed
from pytest_aipipe.generate.choice import Chosen, Kills, choose, narrow
from pytest_aipipe.generate.edges import edges
from pytest_aipipe.generate.kept import Fault, Kept
from pytest_aipipe.generate.model import Outcome
from pytest_aipipe.generate.proposals import proposals, weak_spots
from pytest_aipipe.generate.strength import by_line
from pytest_aipipe.mutate.model import KILLS, MutationScore

if TYPE_CHECKING:
    from pytest_aipipe.explore.explorer import Explorer
    from pytest_aipipe.generate.model import Candidate, Comparison, Engine, Gap
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
SEEDS = 8
EDGES = 48
MOST_TESTS = 8
LEAST_NEW = 3
SESSION = 1.5  # seconds under which starting a child session is not worth it
FILE = "test_aipipe_wide_{}.py"


Lines = Mapping[str, frozenset[int]]


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
    count: Callable[[str, Sequence[Candidate], float], None]
    """Told of each batch that was tried: engine, candidates, seconds."""

    def run(self, engine: str, batch: Sequence[Candidate]) -> Sequence[Outcome]:
        """Try candidates and count them."""
        started = time.monotonic()
        outcomes = self.explorer.run(batch)
        self.count(engine, batch, time.monotonic() - started)
        return outcomes


class Sharpener:
    """Works on the tests that were kept for their reach, until the time is spent."""

    def __init__(self, tools: Tools, faults: Faults) -> None:
        self.tools = tools
        self.faults = faults
        self.made: list[Kept] = []
        self._edged: set[str] = set()
        self._running: dict[tuple[str, str, str], Iterator[tuple[Candidate, Outcome]]] = {}
        self.open: frozenset[Fault] = frozenset(
            (path, one) for path, found in faults.items() for one in found
        )

    def sharpened(self, kept: Sequence[Kept]) -> list[Kept]:
        """Return ``kept`` with the assertions that notice more, and further tests at the end."""
        self.made = self._asserting_more(kept)
        for _ in range(ROUNDS):
            new = len(self.made) - len(kept)
            room = max(MOST_TESTS - len(self.made), LEAST_NEW - new)
            if not self.open or room <= 0 or self.tools.left() < 2 * SESSION:
                break
            self.made += self._further(room)
        return self.made

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
        """Return candidates that run what survived: some of the pool's, after adding to it."""
        pool, request = self.tools.pool, self.tools.request
        lines = by_line(self._as_faults(self.open), request.root)
        enough = self.tools.left() * ASKING
        self._add_edges(lines)
        self._ask(lines, enough)
        found = pool.through(lines, WIDENED)
        for one in found:
            pool.take(one)
        return found

    def _add_edges(self, lines: Lines) -> None:
        """Add variants of the tests at hand with inputs on the edge of a weak comparison."""
        spares = self.tools.pool.through(lines, SEEDS)
        known: list[tuple[Candidate, Sequence[Comparison], Kept | Spare]] = [
            (one.settled.bare or one.settled.candidate, one.settled.outcome.comparisons, one)
            for one in self.made
        ]
        known += [(one.candidate, one.comparisons, one) for one in spares]
        offers = [
            (variant, one)
            for candidate, seen, one in known
            for variant in edges(candidate, [c for c in seen if c.line in lines.get(c.path, ())])
            if variant.function not in self._edged
        ][:EDGES]
        self._edged |= {variant.function for variant, _ in offers}
        for engine in dict.fromkeys(one.engine for _, one in offers):
            mine = [offer for offer in offers if offer[1].engine == engine]
            outcomes = self.tools.run(engine, [variant for variant, _ in mine])
            for (variant, one), outcome in zip(mine, outcomes, strict=True):
                self.tools.pool.offer(variant, outcome, one.gap, engine, aimed=True)

    def _ask(self, lines: Lines, enough: float) -> None:
        """Ask the engines for more, until ``enough`` of the time is left for what they had."""
        request = self.tools.request
        spots = weak_spots(lines, request.arcs, request.sources, request.modules)[:SYMBOLS]
        share = max(LEAST_PROPOSED, PROPOSED // max(1, len(spots)))
        for gap in spots:
            for engine in self.tools.engines:
                for candidate, outcome in islice(self._proposals(gap, engine), share):
                    self.tools.pool.offer(candidate, outcome, gap, engine.name)
                    if self.tools.left() < enough:
                        return

    def _proposals(self, gap: Gap, engine: Engine) -> Iterator[tuple[Candidate, Outcome]]:
        """Return what an engine goes on to propose for a symbol: it is asked in each round."""
        key = (gap.path, gap.symbol, engine.name)
        if key not in self._running:
            run = partial(self.tools.run, engine.name)
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
