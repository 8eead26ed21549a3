"""When a fitted model is taken, and when what was there stays."""

from __future__ import annotations

import numpy as np
import pytest

from aipipe.calibrate.scores import Scores, paired_error
from aipipe.calibrate.steps import Outcome, _decide


def judged(auc: float, brier: float, noise: float) -> Outcome:
    scores = {"model": Scores(auc, 0, brier, 0), "lines added": Scores(0.8, 0, 0.05, 0)}
    outcome = Outcome(scores=scores, noise=noise)
    _decide(outcome)
    return outcome


@pytest.mark.parametrize(
    ("auc", "brier", "noise", "adopted"),
    [
        (0.9, 0.04, 0.0, True),
        (0.9, 0.051, 0.002, True),
        (0.9, 0.051, 0.0005, False),
        (0.8, 0.04, 0.002, False),
    ],
)
def test_it_has_to_rank_better_and_not_be_clearly_worse_in_its_probabilities(
    auc: float, brier: float, noise: float, adopted: bool
) -> None:
    outcome = judged(auc, brier, noise)
    assert outcome.adopted is adopted
    assert ("stays" in outcome.why) is not adopted


def test_the_error_of_a_difference_is_that_of_a_mean_of_pairs() -> None:
    labels = np.array([True, False, True, False])
    ours, theirs = np.array([0.9, 0.2, 0.6, 0.1]), np.array([0.5, 0.5, 0.5, 0.5])
    pairs = (ours - labels) ** 2 - 0.25
    assert paired_error(labels, ours, theirs) == pytest.approx(np.std(pairs, ddof=1) / 2)
    assert paired_error(labels, ours, ours) == 0
