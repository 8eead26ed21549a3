"""When a fitted model is taken, and when what was there stays."""

from __future__ import annotations

import pytest

from aipipe.calibrate.scores import Scores
from aipipe.calibrate.steps import Outcome, _decide


@pytest.mark.parametrize(
    ("auc", "brier", "adopted"),
    [(0.9, 0.04, True), (0.9, 0.0501, False), (0.8, 0.04, False), (0.7, 0.06, False)],
)
def test_it_has_to_beat_the_baseline_in_rank_and_in_probability(
    auc: float, brier: float, adopted: bool
) -> None:
    outcome = Outcome(
        scores={"model": Scores(auc, 0, brier, 0), "lines added": Scores(0.8, 0, 0.05, 0)}
    )
    _decide(outcome)
    assert outcome.adopted is adopted
    assert ("stays" in outcome.why) is not adopted
