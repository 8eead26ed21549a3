"""Prediction against fact, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aipipe_build.predict.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aipipe_build.predict.model import StepPrediction
    from aipipe_build.verify.facts import Fact


class Agreement(StrEnum):
    """How a prediction stands to what happened."""

    RIGHT = "right"
    CONDITIONAL = "conditional"
    """It was said to depend on what another stage makes."""
    ABSTAINED = "abstained"
    """It was said that nobody can tell."""
    FALSE_HIT = "false-hit"
    """It was to be cached, and ran: the one error that is not forgiven."""
    FALSE_MISS = "false-miss"
    """It was to run, and was cached."""
    ABSENT = "absent"
    """One side knows a step that the other does not."""
    UNRECORDED = "unrecorded"
    """It was cached, and nothing was on record that could have told."""


MISSES = frozenset({Agreement.FALSE_HIT, Agreement.FALSE_MISS, Agreement.ABSENT})
"""What is a defect of ours."""


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """One step with both sides. ``fact`` is cached, ran, failed or absent."""

    stage: str
    line: int
    instruction: str
    verdict: str
    cause: str
    fact: str
    agreement: Agreement
    seconds: float | None = None
    saved: float = 0.0
    """The seconds that it took when it last ran, for one that was cached."""

    def as_json(self) -> dict[str, Any]:
        """Return the form that ``build.json`` has."""
        return {
            "stage": self.stage,
            "line": self.line,
            "instruction": self.instruction,
            "verdict": self.verdict,
            "cause": self.cause,
            "fact": self.fact,
            "agreement": str(self.agreement),
            "seconds": self.seconds,
            "saves_seconds": self.saved,
        }


def compare_steps(
    steps: Iterable[StepPrediction],
    facts: Sequence[Fact],
    *,
    recorded: bool = True,
    shared: Sequence[Fact] = (),
) -> list[StepOutcome]:
    """Set every predicted step beside its fact; facts that nobody predicted come last.

    ``recorded`` says whether anything was on record for the builder: without it a step that
    was cached all the same is no error of the prediction. ``shared`` are the facts of other
    platforms: a step that is the same for two is shown for one of them.
    """
    left = list(facts)
    outcomes: list[StepOutcome] = []
    for step in steps:
        fact = _take(step, left) or _twin(step, shared)
        shown = "absent" if fact is None else _shown(fact)
        outcomes.append(
            StepOutcome(
                stage=step.stage,
                line=step.line,
                instruction=step.instruction,
                verdict=str(step.verdict),
                cause=step.cause,
                fact=shown,
                agreement=_agreement(step.verdict, shown, recorded=recorded),
                seconds=fact.seconds if fact else None,
                saved=(step.seconds or 0.0) if shown == "cached" else 0.0,
            )
        )
    return outcomes + [_unpredicted(fact) for fact in left]


def _take(step: StepPrediction, left: list[Fact]) -> Fact | None:
    """Take the first fact of this step; one vertex of two stages bears either's name."""
    exact = [fact for fact in left if fact.instruction == step.instruction]
    found = next((fact for fact in exact if fact.stage == step.stage), None)
    found = found or (exact[0] if exact else None)
    if found is not None:
        left.remove(found)
    return found


def _twin(step: StepPrediction, shared: Sequence[Fact]) -> Fact | None:
    """Return the fact of a step that two platforms share, which the builder shows once."""
    return next((fact for fact in shared if fact.instruction == step.instruction), None)


def _shown(fact: Fact) -> str:
    if fact.error:
        return "failed"
    return "cached" if fact.cached else "ran"


def _agreement(verdict: Verdict, fact: str, *, recorded: bool) -> Agreement:
    if fact == "absent":
        return Agreement.ABSENT
    if verdict is Verdict.UNKNOWN:
        return Agreement.ABSTAINED
    if verdict is Verdict.DEPENDS:
        return Agreement.CONDITIONAL
    if (verdict is Verdict.HIT) == (fact == "cached"):
        return Agreement.RIGHT
    if verdict is Verdict.HIT:
        return Agreement.FALSE_HIT
    return Agreement.FALSE_MISS if recorded else Agreement.UNRECORDED


def _unpredicted(fact: Fact) -> StepOutcome:
    return StepOutcome(
        stage=fact.stage,
        line=0,
        instruction=fact.instruction,
        verdict="absent",
        cause="",
        fact=_shown(fact),
        agreement=Agreement.ABSENT,
        seconds=fact.seconds,
    )
