"""More candidates for lines that are reached already: an engine is told that they are not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from pytest_aipipe.gaps.symbols import symbol_at, symbols_of
from pytest_aipipe.generate.model import Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Arc, Candidate, Engine, Outcome, Scene

BATCH = 16


class MakeScene(Protocol):
    """Makes the scene that an engine is shown for a gap."""

    def __call__(self, gap: Gap) -> Scene:
        """Return the scene of ``gap``."""
        ...


class Run(Protocol):
    """Tries candidates."""

    def __call__(self, batch: Sequence[Candidate]) -> Sequence[Trialed]:
        """Return what was seen of each of ``batch``, in order."""
        ...


def weak_spots(
    lines: Mapping[str, frozenset[int]],
    arcs: Mapping[str, frozenset[Arc]],
    sources: Mapping[str, str],
    modules: Mapping[str, str],
) -> list[Gap]:
    """Return ``lines`` as gaps, one for each symbol, in the order of the source.

    The branches that start on them (of ``arcs``) belong to them: what decides there is what
    an engine should come close to.
    """
    found: dict[tuple[str, str], set[int]] = {}
    for path in sorted(lines):
        symbols = symbols_of(sources[path])
        for line in sorted(lines[path]):
            found.setdefault((path, symbol_at(symbols, line)), set()).add(line)
    return [
        Gap(
            path,
            modules[path],
            symbol,
            frozenset(held),
            frozenset(arc for arc in arcs.get(path, ()) if arc[0] in held),
        )
        for (path, symbol), held in found.items()
        if path in modules
    ]


def proposals(
    gap: Gap, engine: Engine, scene: MakeScene, run: Run
) -> Iterator[tuple[Candidate, Trialed]]:
    """Yield the candidates that ``engine`` has for ``gap``, with what was seen.

    The engine hears outcomes in which the gap's lines did not run, so that it goes on: what
    is wanted is another way to the same place.
    """
    running = engine.propose(gap, scene(gap))
    try:
        batch = list(next(running, ()))
        while batch:
            outcomes: list[Outcome] = []
            for start in range(0, len(batch), BATCH):
                part = batch[start : start + BATCH]
                found = list(run(part))
                outcomes += [one.outcome for one in found]
                yield from zip(part, found, strict=True)
            batch = list(running.send([unreached(one, gap) for one in outcomes]))
    except StopIteration:
        return
    finally:
        running.close()


def unreached(outcome: Outcome, gap: Gap) -> Outcome:
    """Return ``outcome`` as if it had reached nothing of ``gap``."""
    ran = outcome.lines.get(gap.path, frozenset())
    taken = outcome.arcs.get(gap.path, frozenset())
    return replace(
        outcome,
        lines={**outcome.lines, gap.path: ran - gap.lines},
        arcs={**outcome.arcs, gap.path: taken - gap.branches},
    )
