"""How good predictions were: AUC, precision-recall, Brier, calibration error, and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """Area under the ROC and the precision-recall curve, Brier score, calibration error."""

    auc: float
    precision_recall: float
    brier: float
    calibration: float


def scores(labels: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> Scores:
    """Return the scores; both kinds of label have to be there."""
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    return Scores(
        float(roc_auc_score(labels, probabilities)),
        float(average_precision_score(labels, probabilities)),
        float(brier_score_loss(labels, probabilities)),
        calibration_error(labels, probabilities),
    )


def calibration_error(labels: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
    """Return the expected calibration error over ``BINS`` bins of equal count.

    Bins of equal width would put nearly all of a rare event into the first one and hide
    what happens there (Nixon et al., 2019, on adaptive binning).
    """
    total = len(labels)
    return float(
        sum(
            len(part) / total * abs(float(labels[part].mean() - probabilities[part].mean()))
            for part in _bins(probabilities)
        )
    )


def curve(
    labels: NDArray[np.bool_], probabilities: NDArray[np.float64]
) -> list[tuple[float, float, int]]:
    """Return the calibration curve: predicted, observed, how many."""
    return [
        (float(probabilities[part].mean()), float(labels[part].mean()), len(part))
        for part in _bins(probabilities)
    ]


def _bins(probabilities: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    order = np.argsort(probabilities, kind="stable")
    return [part for part in np.array_split(order, BINS) if len(part)]


def interval(
    values: NDArray[np.float64], seed: int = 0, rounds: int = 10_000
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean of ``values``, one a project."""
    random = np.random.default_rng(seed)
    drawn = random.choice(values, size=(rounds, len(values)), replace=True).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
