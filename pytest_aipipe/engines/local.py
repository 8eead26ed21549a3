"""The embedded engine: its techniques in turn, each learning from what the others' runs showed."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pytest_aipipe.engines.situation import Situation
from pytest_aipipe.engines.source.writer import fingerprint
from pytest_aipipe.engines.techniques.amplify import Amplify
from pytest_aipipe.engines.techniques.base import Proposals, Technique
from pytest_aipipe.engines.techniques.construct import Construct
from pytest_aipipe.engines.techniques.examples import Examples
from pytest_aipipe.engines.techniques.search import Search, keep
from pytest_aipipe.generate.model import Candidate, Gap, Outcome, Scene


def techniques() -> list[Technique]:
    """Return the techniques in the order in which they first get a turn."""
    return [Examples(), Amplify(), Construct(), Search()]


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
        for technique in self.order:
            yield from self._turns(situation, waiting)
            if situation.closed:
                return
            running = technique.propose(situation)
            first = next(running, None)
            if first is not None:
                waiting.append((running, first))
        while waiting and not situation.closed:
            yield from self._turns(situation, waiting)

    def _turns(
        self, situation: Situation, waiting: list[tuple[Proposals, Sequence[Candidate]]]
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], None]:
        """Give each waiting technique one turn."""
        for running, batch in list(waiting):
            if situation.closed:
                return
            outcomes = yield from self._run(situation, batch)
            waiting.remove((running, batch))
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
