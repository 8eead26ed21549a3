"""Candidates for the faults that survive: from the pool, on the edge, and from the engines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.observe import telling
from pytest_aipipe.gaps.symbols import symbol_at, symbols_of
from pytest_aipipe.generate.edges import edges
from pytest_aipipe.generate.proposals import proposals, weak_spots

if TYPE_CHECKING:
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.kept import Kept
    from pytest_aipipe.generate.model import Candidate, Comparison, Engine, Gap
    from pytest_aipipe.generate.pool import Spare
    from pytest_aipipe.generate.tools import Tools

PROPOSED = 120  # candidates that are asked for in one round, over all symbols
LEAST_PROPOSED = 32
EDGING = 0.8  # the share of a round's time that is left after variants on the edge
ASKING = 0.6  # and after what the engines proposed
SYMBOLS = 6
SEEDS = 8
EDGES = 48
PART = 12  # tried before the next look at the clock

Lines = Mapping[str, frozenset[int]]


class Supply:
    """Adds to the pool and takes from it; nothing is handed out twice."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.pace = math.inf  # seconds for one look at a candidate
        self._edged: set[str] = set()
        self._running: dict[tuple[str, str, str], Iterator[tuple[Candidate, Trialed]]] = {}

    def take(self, lines: Lines, made: Sequence[Kept], most: Callable[[], int]) -> list[Spare]:
        """Return up to ``most`` candidates that run ``lines``, after adding to the pool.

        ``made`` are the tests at hand; ``most`` is asked once that was done, as it hangs on the
        time that is left.
        """
        left = self.tools.left()
        self._add_edges(lines, made, left * EDGING)
        self._ask(lines, left * ASKING)
        pool = self.tools.pool
        found = pool.through(lines, most())
        for one in found:
            pool.take(one)
        return found

    def _add_edges(self, lines: Lines, made: Sequence[Kept], enough: float) -> None:
        """Add variants of the tests at hand with inputs on the edge of a weak comparison."""
        spares = self.tools.pool.through(lines, SEEDS)
        known: list[tuple[Candidate, Sequence[Comparison], Kept | Spare]] = [
            (one.settled.bare or one.settled.candidate, one.settled.outcome.comparisons, one)
            for one in made
        ]
        known += [(one.candidate, one.comparisons, one) for one in spares]
        offers = [
            (variant, one)
            for candidate, seen, one in known
            for variant in edges(candidate, self._weakest(seen, lines))
            if variant.function not in self._edged
        ][:EDGES]
        for engine in dict.fromkeys(one.engine for _, one in offers):
            mine = [offer for offer in offers if offer[1].engine == engine]
            for start in range(0, len(mine), PART):
                if self.tools.left() < enough:
                    return
                self._try_edges(engine, mine[start : start + PART])

    def _try_edges(self, engine: str, part: Sequence[tuple[Candidate, Kept | Spare]]) -> None:
        self._edged |= {variant.function for variant, _ in part}
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
