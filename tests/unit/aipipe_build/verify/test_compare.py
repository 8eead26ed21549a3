"""Prediction against fact."""

from __future__ import annotations

import pytest

from aipipe_build.predict.model import StepPrediction, Verdict
from aipipe_build.verify.compare import MISSES, Agreement, compare_steps
from aipipe_build.verify.defect import prediction_report
from aipipe_build.verify.facts import Fact


def step(
    text: str, verdict: Verdict, stage: str = "", seconds: float | None = None
) -> StepPrediction:
    return StepPrediction(stage, 2, text, verdict, "because", seconds)


@pytest.mark.parametrize(
    ("verdict", "cached", "agreement"),
    [
        (Verdict.HIT, True, Agreement.RIGHT),
        (Verdict.HIT, False, Agreement.FALSE_HIT),
        (Verdict.MISS, False, Agreement.RIGHT),
        (Verdict.MISS, True, Agreement.FALSE_MISS),
        (Verdict.DEPENDS, True, Agreement.CONDITIONAL),
        (Verdict.UNKNOWN, False, Agreement.ABSTAINED),
    ],
)
def test_a_verdict_is_set_beside_what_happened(
    verdict: Verdict, cached: bool, agreement: Agreement
) -> None:
    (outcome,) = compare_steps([step("RUN a", verdict)], [Fact("", "RUN a", cached=cached)])
    assert outcome.agreement is agreement


def test_without_a_record_a_cached_step_is_no_error() -> None:
    (outcome,) = compare_steps(
        [step("RUN a", Verdict.MISS)], [Fact("", "RUN a", cached=True)], recorded=False
    )
    assert outcome.agreement is Agreement.UNRECORDED
    assert outcome.agreement not in MISSES


def test_steps_that_say_the_same_are_told_apart_by_their_order() -> None:
    outcomes = compare_steps(
        [step("RUN a", Verdict.HIT), step("RUN a", Verdict.MISS)],
        [Fact("", "RUN a", cached=True), Fact("", "RUN a", cached=False)],
    )
    assert [one.agreement for one in outcomes] == [Agreement.RIGHT] * 2


def test_what_only_one_side_knows_is_absent() -> None:
    outcomes = compare_steps([step("RUN a", Verdict.HIT)], [Fact("", "RUN b", cached=True)])
    assert [(one.instruction, one.agreement) for one in outcomes] == [
        ("RUN a", Agreement.ABSENT),
        ("RUN b", Agreement.ABSENT),
    ]


def test_a_cached_step_saves_what_it_took_when_it_ran() -> None:
    outcomes = compare_steps(
        [step("RUN a", Verdict.HIT, seconds=3.5), step("RUN b", Verdict.MISS, seconds=2.0)],
        [Fact("", "RUN a", cached=True), Fact("", "RUN b", cached=False, seconds=1.0)],
    )
    assert [(one.saved, one.seconds) for one in outcomes] == [(3.5, None), (0.0, 1.0)]


def test_the_report_to_paste_marks_what_is_wrong() -> None:
    outcomes = compare_steps([step("RUN a", Verdict.HIT)], [Fact("", "RUN a", cached=False)])
    text = prediction_report(
        outcomes,
        dockerfile="FROM x\nRUN a hush-hush\n",
        versions={"buildx": "v0.13.1"},
        options=["--tag"],
        mask=lambda text: text.replace("hush-hush", "***"),
    )
    assert ">> false-hit    predicted hit      was ran" in text
    assert "buildx: v0.13.1" in text
    assert "RUN a ***" in text
