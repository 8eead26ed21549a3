"""Engines in stages: one that asks elsewhere comes after those that do not, for what they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.generate.model import Candidate, Engine, Outcome

EARLIER_SHARE = 0.6
"""Of the time that is left, for a stage that another one follows."""


@runtime_checkable
class Waiting(Protocol):
    """An engine that waits for answers from elsewhere, beside :class:`Engine`.

    Its ``propose`` may be called for all gaps at once and should then begin to ask; it yields
    an empty batch as long as no answer is there.
    """

    def begin(self, seconds: float) -> None:
        """Be told, before the first ``propose``, how long answers may take."""
        ...

    def judged(self, batch: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        """Be told what became of a batch, also where the gap is closed and nothing more comes."""
        ...

    def instead(self) -> Sequence[Engine]:
        """Return the engines to go on with where this one could not do its work."""
        ...


def stages_of(engines: Sequence[Engine]) -> list[list[Engine]]:
    """Return the engines in their order, each that waits in a stage of its own."""
    stages: list[list[Engine]] = []
    for engine in engines:
        alone = isinstance(engine, Waiting)
        if alone or not stages or isinstance(stages[-1][0], Waiting):
            stages.append([])
        stages[-1].append(engine)
    return stages


def share(left: float, following: int) -> float:
    """Return the seconds that have to stay for the stages that follow."""
    return left * (1 - EARLIER_SHARE) if following else 0.0


def without_waiting(engines: Sequence[Engine]) -> list[Engine]:
    """Return the engines that answer at once: the others cost more than a stronger test brings."""
    return [engine for engine in engines if not isinstance(engine, Waiting)]
