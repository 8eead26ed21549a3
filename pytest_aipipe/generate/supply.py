"""Candidates for the faults that survive: from the pool, on the edge, and from the engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
ASKING = 0.6  # the share of a round's time that is left for what was proposed
SYMBOLS = 6
SEEDS = 8
EDGES = 48

Lines = Mapping[str, frozenset[int]]


class Supply:
    """Adds to the pool and takes from it; nothing is handed out twice."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._edged: set[str] = set()
        self._running: dict[tuple[str, str, str], Iterator[tuple[Candidate, Trialed]]] = {}

    def take(self, lines: Lines, made: Sequence[Kept], most: int) -> list[Spare]:
        """Return up to ``most`` candidates that run ``lines``, after adding to the pool.

        ``made`` are the tests at hand.
        """
        pool = self.tools.pool
        enough = self.tools.left() * ASKING
        self._add_edges(lines, made)
        self._ask(lines, enough)
        found = pool.through(lines, most)
        for one in found:
            pool.take(one)
        return found

    def _add_edges(self, lines: Lines, made: Sequence[Kept]) -> None:
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
        self._edged |= {variant.function for variant, _ in offers}
        for engine in dict.fromkeys(one.engine for _, one in offers):
            mine = [offer for offer in offers if offer[1].engine == engine]
            trials = self.tools.run(engine, [variant for variant, _ in mine])
            for (variant, one), trial in zip(mine, trials, strict=True):
                told = telling(variant, trial)
                self.tools.pool.offer(
                    variant, trial.outcome, one.gap, engine, told=told, aimed=True
                )

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
        for gap in spots:
            for engine in self.tools.engines:
                for candidate, trial in islice(self._proposals(gap, engine), share):
                    told = telling(candidate, trial)
                    self.tools.pool.offer(candidate, trial.outcome, gap, engine.name, told=told)
                    if self.tools.left() < enough:
                        return

    def _proposals(self, gap: Gap, engine: Engine) -> Iterator[tuple[Candidate, Trialed]]:
        """Return what an engine goes on to propose for a symbol: it is asked in each round."""
        key = (gap.path, gap.symbol, engine.name)
        if key not in self._running:
            run = partial(self.tools.run, engine.name)
            self._running[key] = proposals(gap, engine, self.tools.scene, run)
        return self._running[key]
