"""Whose turn it is: every open gap in turn, each engine a little at first and more later."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_aipipe.generate.model import Candidate, Engine, Gap, Outcome, RecordedCall
from pytest_aipipe.generate.scene import read_sources, scene_for
from pytest_aipipe.generate.stages import Waiting

if TYPE_CHECKING:
    from pytest_aipipe.explore.explorer import Ready
    from pytest_aipipe.generate.remaining import Remaining
    from pytest_aipipe.generate.request import Request
    from pytest_aipipe.generate.tries import Tries

FIRST_QUOTA = 60  # most gaps that close do so within eighty candidates
MAX_QUOTA = 400
MAX_BATCH = 40
PAUSE = 0.02  # between two looks for an answer that is awaited

Proposals = Generator[Sequence[Candidate], Sequence[Outcome], None]


@dataclass(slots=True)
class Work:
    """One engine at one gap: its generator, the batch it waits for, and what it has had."""

    gap: Gap
    engine: Engine
    proposals: Proposals
    batch: list[Candidate]
    had: int = 0
    quota: int = FIRST_QUOTA
    begun: bool = False
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A batch to try now."""

    gap: Gap
    engine: Engine
    batch: Sequence[Candidate]
    work: Work


class Rota:
    """Hands out turns; counts candidates and not seconds, so that the order is repeatable."""

    def __init__(
        self,
        request: Request,
        engines: Sequence[Engine],
        ready: Ready,
        calls: Sequence[RecordedCall],
        tries: Tries | None = None,
    ) -> None:
        sources = read_sources(request.tests)
        self._queue: deque[Work] = deque()
        self.problems: list[str] = []
        for engine in engines:
            for gap in request.gaps:
                scene = scene_for(
                    gap,
                    request,
                    calls=calls,
                    test_sources=sources,
                    fixtures=ready.fixtures,
                    async_mark=ready.async_mark,
                    tries=tries.of(gap) if tries else (),
                )
                self._queue.append(Work(gap, engine, engine.propose(gap, scene), []))
        self._answers: dict[int, list[Outcome]] = {}

    def next_turn(
        self, remaining: Remaining, *, done: Callable[[Work], bool] = lambda _: False
    ) -> Turn | None:
        """Return the next batch, or None when nobody has anything more to offer.

        Work that is ``done`` is given up although something of its gap is open.
        """
        while self._queue:
            work = self._queue[0]
            if not remaining.rest_of(work.gap).size or done(work):
                self._drop()
                continue
            if not work.batch and not self._advance(work):
                self._drop()
                continue
            if not work.batch:  # it waits for an answer: the others' turn
                self._queue.rotate(-1)
                time.sleep(PAUSE)
                continue
            if work.had >= work.quota:
                work.quota = min(work.quota * 2, work.quota + MAX_QUOTA)
                self._queue.rotate(-1)
                continue
            part = work.batch[:MAX_BATCH]
            return Turn(work.gap, work.engine, part, work)
        return None

    def answer(self, turn: Turn, outcomes: Sequence[Outcome]) -> None:
        """Keep the outcomes; the engine gets them when its whole batch was tried."""
        work = turn.work
        if isinstance(work.engine, Waiting):
            work.engine.judged(turn.batch, outcomes)
        work.had += len(turn.batch)
        del work.batch[: len(turn.batch)]
        self._answers.setdefault(id(work), []).extend(outcomes)

    def _advance(self, work: Work) -> bool:
        """Fetch the next batch of an engine; an engine that fails is told of and left out."""
        try:
            while not work.batch:
                if work.begun:
                    batch = work.proposals.send(self._answers.pop(id(work), []))
                else:
                    work.begun = True
                    batch = next(work.proposals)
                work.batch = list(batch)
                if isinstance(work.engine, Waiting):
                    break
        except StopIteration:
            return False
        except Exception as error:  # an engine may be a stranger's
            said = f"The engine {work.engine.name} failed at {work.gap.symbol}: {error!r}"
            self.problems.append(said)
            return False
        return True

    def _drop(self) -> None:
        work = self._queue.popleft()
        self._answers.pop(id(work), None)
        work.proposals.close()
