"""Candidates for the faults that survive: from the pool, varied, and from the engines."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, zip_longest
from random import Random
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.observe import telling
from pytest_aipipe.gaps.symbols import symbol_at, symbols_of
from pytest_aipipe.generate.edges import edges
from pytest_aipipe.generate.proposals import proposals, weak_spots
from pytest_aipipe.generate.richer import Passed, richer
from pytest_aipipe.generate.varied import texts_in, tokens_in, varied

if TYPE_CHECKING:
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.kept import Kept
    from pytest_aipipe.generate.model import Candidate, Comparison, Engine, Gap
    from pytest_aipipe.generate.pool import Spare
    from pytest_aipipe.generate.tools import Tools

PROPOSED = 120  # candidates that are asked for in one round, over all symbols
LEAST_PROPOSED = 32
EDGING = 0.8  # the share of a round's time that is left after variants on the edge
ENRICHING = 0.7  # after variants with fuller inputs
VARYING = 0.62  # and after those with inputs varied at random
ASKING = 0.5  # and after what the engines proposed
SYMBOLS = 6
SEEDS = 8
EDGES = 48
FILES = 6  # of tests, whose inputs are looked at
PART = 12  # tried before the next look at the clock

Lines = Mapping[str, frozenset[int]]
_Offer = tuple["Candidate", "Kept | Spare"]
_Seed = tuple["Candidate", Sequence["Comparison"], "Kept | Spare"]


class Supply:
    """Adds to the pool and takes from it; nothing is handed out twice."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.pace = math.inf  # seconds for one look at a candidate
        self._varied: set[str] = set()
        self._passed: Passed | None = None
        self._words: list[str] | None = None
        self._rng: Random | None = None
        self._running: dict[tuple[str, str, str], Iterator[tuple[Candidate, Trialed]]] = {}

    def take(self, lines: Lines, made: Sequence[Kept], most: Callable[[], int]) -> list[Spare]:
        """Return up to ``most`` candidates that run ``lines``, after adding to the pool.

        ``made`` are the tests at hand; ``most`` is asked once that was done, as it hangs on the
        time that is left.
        """
        left = self.tools.left()
        seeds = self._seeds(lines, made)
        self._add(self._edges(lines, seeds), left * EDGING)
        self._add(self._richer(lines, seeds), left * ENRICHING)
        self._add(self._with_others(lines, seeds), left * VARYING)
        self._ask(lines, left * ASKING)
        pool = self.tools.pool
        found = pool.through(lines, most())
        for one in found:
            pool.take(one)
        return found

    def _seeds(self, lines: Lines, made: Sequence[Kept]) -> list[_Seed]:
        """Return the tests at hand, and candidates that came near to being one."""
        spares = self.tools.pool.through(lines, SEEDS)
        known: list[_Seed] = [
            (one.settled.bare or one.settled.candidate, one.settled.outcome.comparisons, one)
            for one in made
        ]
        return known + [(one.candidate, one.comparisons, one) for one in spares]

    def _edges(self, lines: Lines, seeds: Sequence[_Seed]) -> list[_Offer]:
        """Return variants of ``seeds`` with inputs on the edge of a weak comparison."""
        return [
            (variant, one)
            for candidate, seen, one in seeds
            for variant in edges(candidate, self._weakest(seen, lines))
        ]

    def _richer(self, lines: Lines, seeds: Sequence[_Seed]) -> list[_Offer]:
        """Return variants of ``seeds`` with the inputs of the tests that run the same files."""
        if self._passed is None:
            self._passed = Passed(self._texts(lines))
        turns = zip_longest(
            *([(v, one) for v in richer(candidate, self._passed)] for candidate, _, one in seeds)
        )
        return [offer for turn in turns for offer in turn if offer is not None]

    def _with_others(self, lines: Lines, seeds: Sequence[_Seed]) -> list[_Offer]:
        """Return variants of ``seeds`` with an input changed at random, in other ways each time."""
        request = self.tools.request
        if self._words is None or self._rng is None:
            self._words = texts_in(self._texts(lines))
            self._rng = Random(request.seed)  # noqa: S311 - nothing secret is drawn
        rng, words, tokens = self._rng, self._words, tokens_in(request.sources, lines)
        turns = zip_longest(
            *(
                [(v, one) for v in varied(candidate, rng, texts=words, tokens=tokens)]
                for candidate, _, one in seeds
            )
        )
        return [offer for turn in turns for offer in turn if offer is not None]

    def _texts(self, lines: Lines) -> list[str]:
        """Return the test files that run the files of ``lines``, those with most tests first."""
        counts = Counter(
            test.source_path
            for test in self.tools.request.tests
            if any(path in test.lines for path in lines)
        )
        found = (self.tools.sources.get(path) for path, _ in counts.most_common(FILES))
        return [text for text in found if text is not None]

    def _add(self, offers: Sequence[_Offer], enough: float) -> None:
        """Try variants that were not tried, until ``enough`` of the time is left."""
        new = [offer for offer in offers if offer[0].function not in self._varied][:EDGES]
        for engine in dict.fromkeys(one.engine for _, one in new):
            mine = [offer for offer in new if offer[1].engine == engine]
            for start in range(0, len(mine), PART):
                if self.tools.left() < enough:
                    return
                self._try(engine, mine[start : start + PART])

    def _try(self, engine: str, part: Sequence[_Offer]) -> None:
        self._varied |= {variant.function for variant, _ in part}
        trials = self._run(engine, [variant for variant, _ in part])
        for (variant, one), trial in zip(part, trials, strict=True):
            told = telling(variant, trial)
            self.tools.pool.offer(variant, trial.outcome, one.gap, engine, told=told, aimed=True)

    def _weakest(self, seen: Sequence[Comparison], lines: Lines) -> list[Comparison]:
        """Return what was compared on weak lines, then what was in the same functions."""
        weak = [one for one in seen if one.line in lines.get(one.path, ())]
        sources = self.tools.request.sources
        owners = {
            (spot.path, spot.symbol)
            for spot in weak_spots(lines, {}, sources, self.tools.request.modules)
        }
        symbols = {path: symbols_of(sources[path]) for path in lines}
        near = [
            one
            for one in seen
            if one.path in symbols
            and (one.path, symbol_at(symbols[one.path], one.line)) in owners
            and one not in weak
        ]
        return [*weak, *near]

    def _ask(self, lines: Lines, enough: float) -> None:
        """Ask the engines for more, until ``enough`` of the time is left for what they had."""
        request = self.tools.request
        spots = weak_spots(lines, request.arcs, request.sources, request.modules)[:SYMBOLS]
        share = max(LEAST_PROPOSED, PROPOSED // max(1, len(spots)))
        for _ in range(0, share, PART):
            for gap in spots:
                for engine in self.tools.engines:
                    if self.tools.left() < enough:
                        return
                    for candidate, trial in islice(self._proposals(gap, engine), PART):
                        told = telling(candidate, trial)
                        self.tools.pool.offer(candidate, trial.outcome, gap, engine.name, told=told)

    def _run(self, engine: str, batch: Sequence[Candidate]) -> Sequence[Trialed]:
        started = time.monotonic()
        trials = self.tools.run(engine, batch)
        self.pace = min(self.pace, (time.monotonic() - started) / len(batch))
        return trials

    def _proposals(self, gap: Gap, engine: Engine) -> Iterator[tuple[Candidate, Trialed]]:
        """Return what an engine goes on to propose for a symbol: it is asked in each round."""
        key = (gap.path, gap.symbol, engine.name)
        if key not in self._running:
            run = partial(self._run, engine.name)
            self._running[key] = proposals(gap, engine, self.tools.scene, run)
        return self._running[key]
