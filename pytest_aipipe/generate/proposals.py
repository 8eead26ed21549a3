"""More candidates for lines that are reached already: an engine is told that they are not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from pytest_aipipe.gaps.symbols import symbol_at, symbols_of
from pytest_aipipe.generate.model import Brood, Gap, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Arc, Candidate, Engine, Scene

BATCH = 12


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
    is wanted is another way to the same place. Its broods do not run: they spend seconds on
    the way to a place that is reached.
    """
    running = engine.propose(gap, scene(gap))
    try:
        batch = list(next(running, ()))
        while batch:
            outcomes = dict.fromkeys(range(len(batch)), Outcome("skipped"))
            plain = [(n, one) for n, one in enumerate(batch) if not isinstance(one, Brood)]
            for start in range(0, len(plain), BATCH):
                part = plain[start : start + BATCH]
                found = list(run([one for _, one in part]))
                for (number, candidate), trialed in zip(part, found, strict=True):
                    outcomes[number] = unreached(trialed.outcome, gap)
                    yield candidate, trialed
            batch = list(running.send([*outcomes.values()]))
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
