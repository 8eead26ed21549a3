"""The embedded engine: its techniques in turn, each learning from what the others' runs showed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.engines.situation import Situation
from pytest_aipipe.engines.source.fakes import fakes_of, starts_process
from pytest_aipipe.engines.source.writer import fingerprint
from pytest_aipipe.engines.techniques.amplify import Amplify
from pytest_aipipe.engines.techniques.breed import Breed
from pytest_aipipe.engines.techniques.carve import Carve
from pytest_aipipe.engines.techniques.command import Command, entries
from pytest_aipipe.engines.techniques.construct import Construct
from pytest_aipipe.engines.techniques.examples import Examples
from pytest_aipipe.engines.techniques.force import Force
from pytest_aipipe.engines.techniques.module_level import ModuleLevel, is_conditional
from pytest_aipipe.engines.techniques.search import Search, keep
from pytest_aipipe.engines.techniques.sequences import Sequences

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pytest_aipipe.engines.techniques.base import Proposals, Technique
    from pytest_aipipe.generate.model import Candidate, Gap, Outcome, Scene


_PATIENCE = 2
_MUCH = 8
_NEAR = 0.5


def techniques() -> list[Technique]:
    """Return the techniques in the order in which they first get a turn."""
    return [
        Examples(), Amplify(), Carve(), Construct(), Breed(), ModuleLevel(), Command(), Force(),
        Sequences(), Search(),
    ]  # fmt: skip


def likeliest_first(order: Sequence[Technique], situation: Situation) -> list[Technique]:
    """Return the techniques with the one that this gap plainly asks for moved to the front."""
    wanted: set[str] = set()
    if any(g.handlers for g in situation.guards):
        wanted.add("force")
    if situation.target is None or situation.target.name == "__getattr__":
        wanted.add("module")
    if any(is_conditional(situation, target) for target in situation.targets):
        wanted.add("module")
    if any(starts_process(f) for t in situation.targets for f in fakes_of(t.node)):
        wanted.add("force")
    if situation.target is not None and situation.target in entries(situation):
        wanted.add("command")
    if situation.gap.size >= _MUCH and _nearest(situation) >= _NEAR:
        wanted.add("breed")  # much is open around where tests already are
    return sorted(order, key=lambda t: t.name not in wanted)


def _nearest(situation: Situation) -> float:
    """Return how near the nearest test comes: 0 to 1."""
    path = situation.gap.path
    nearest = (situation.nearness(t.lines.get(path, frozenset())) for t in situation.tests[:3])
    return max(nearest, default=0.0)


class LocalEngine:
    """Proposes candidates without a model. Deterministic for a scene."""

    name = "local"

    def __init__(self, order: Sequence[Technique] | None = None) -> None:
        self.order = techniques() if order is None else list(order)

    def propose(
        self, gap: Gap, scene: Scene
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], None]:
        """Yield one batch of each technique in turn; skip what was tried before."""
        situation = Situation.of(gap, scene)
        if situation is None:
            return
        waiting: list[tuple[Proposals, Sequence[Candidate]]] = []
        for technique in likeliest_first(self.order, situation):
            yield from self._turns(situation, waiting)
            if situation.closed:
                return
            running = technique.propose(situation)
            first = next(running, None)
            if first is not None:
                waiting.append((running, first))
        while waiting and not situation.closed:
            yield from self._turns(situation, waiting)
            if not waiting and situation.seeds.kept:
                again = self.order[-1].propose(situation)
                if (first := next(again, None)) is not None:
                    waiting.append((again, first))

    def _turns(
        self, situation: Situation, waiting: list[tuple[Proposals, Sequence[Candidate]]]
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], None]:
        """Give each waiting technique one turn."""
        for running, batch in list(waiting):
            if situation.closed:
                return
            outcomes = yield from self._run(situation, batch)
            waiting.remove((running, batch))
            stuck = sum(o.status == "timeout" for o in outcomes)
            if stuck > _PATIENCE and stuck > len(outcomes) // 2:
                continue  # what blocks once blocks again, and each time costs whole seconds
            try:
                following = running.send(outcomes)
            except StopIteration:
                continue
            waiting.append((running, following))

    def _run(
        self, situation: Situation, batch: Sequence[Candidate]
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], list[Outcome]]:
        """Yield what is new of a batch and return the outcomes of all of it."""
        marks = [fingerprint(c) for c in batch]
        fresh = {m: c for m, c in zip(marks, batch, strict=True) if m not in situation.outcomes}
        if fresh:
            outcomes = yield list(fresh.values())
            for (mark, candidate), outcome in zip(fresh.items(), outcomes, strict=True):
                situation.outcomes[mark] = outcome
                situation.learn(outcome)
                keep(situation, candidate, outcome)
        return [situation.outcomes[m] for m in marks]
