"""Fitting, with scikit-learn: the scorecard over many histories, and a project's own model.

A project's own model is a logistic regression whose measures are held small by a penalty and
stand beside the prior's score, which is not: with little data the prior speaks, with much the
project does. Its probabilities are set right by Platt scaling on the newest ripe part, which
it was not fitted on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from aipipe.calibrate.model import Own, RiskModel
from aipipe.calibrate.scorecard import Scorecard, Steps
from aipipe.calibrate.table import EARLY
from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aipipe.calibrate.table import Table

ROUNDS = 100
RATE = 0.12
MOST_ROWS = 12_000
"""Beyond it a part of the sound commits stands for all of them, each counting for several."""
MOST_CUTS = 15
PENALTY = 0.002
"""The inverse strength of the penalty on a project's own weights (scikit-learn's C)."""
PRIOR_SCALE = 10.0
"""The prior's score enters multiplied by it, which makes the penalty on its weight nothing."""
REACH = 4.0
"""Standard deviations beyond which a measure says no more."""
NEWEST = 0.3
LEAST_FAULTS = 20
"""Faulty commits below which a project's own weights would be noise: the prior alone speaks."""
LEAST_SCALED = 10
LIKELY = 3.0
"""Faults put on both sides of a comparison, so that a few cannot turn it."""
MOST_CHANGE = 1.5
LIFT = 2.0
"""How many times as probable as the mean a fault has to be for a change to be above low."""


def require_sklearn() -> None:
    """Raise ``SurroundingsError`` (``fitting-missing``) where scikit-learn is not installed."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise SurroundingsError(
            "fitting-missing",
            "Fitting needs scikit-learn, which is not installed",
            hint="Install it: pip install 'pytest-aipipe[risk]'.",
        ) from error


def cuts_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a measure is cut: between its distinct values, or at even quantiles."""
    distinct = np.unique(np.round(values, 3))
    if len(distinct) - 1 <= MOST_CUTS:
        return np.asarray((distinct[1:] + distinct[:-1]) / 2)
    shares = np.linspace(0, 1, MOST_CUTS + 2)[1:-1]
    return np.unique(np.round(np.quantile(values, shares), 3))


def fit_scorecard(table: Table, source: str = "") -> Scorecard:
    """Fit a scorecard: boosted trees of one split each, summed up by measure."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    table, weights = _thinned(table)
    cuts = [cuts_of(table.values[:, n]) for n in range(len(table.names))]
    places = np.column_stack(
        [np.searchsorted(c, table.values[:, n], side="right") for n, c in enumerate(cuts)]
    ).astype(float)
    trees = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        learning_rate=RATE,
        max_leaf_nodes=2,
        min_samples_leaf=50,
        early_stopping=False,
        random_state=0,
    ).fit(places, table.labels, sample_weight=weights)
    # The sum of one-split trees is a sum over measures: each is read off along its own axis.
    origin = np.zeros((1, places.shape[1]))
    ground = float(trees.decision_function(origin)[0])
    base, steps = ground, {}
    for n, name in enumerate(table.names):
        grid = np.repeat(origin, len(cuts[n]) + 1, axis=0)
        grid[:, n] = np.arange(len(grid))
        points = trees.decision_function(grid) - ground
        typical = float(np.average(points[places[:, n].astype(int)], weights=weights))
        base += typical
        if np.ptp(points) > 0:
            steps[name] = _joined(cuts[n], points - typical)
    return Scorecard(round(base, 4), steps, source)


def _thinned(table: Table) -> tuple[Table, NDArray[np.float64]]:
    """Return at most about ``MOST_ROWS`` rows, every faulty one among them, and their weights."""
    sound = np.flatnonzero(~table.labels)
    room = max(MOST_ROWS - int(table.labels.sum()), MOST_ROWS // 2)
    if len(sound) <= room:
        return table, np.ones(len(table))
    kept = np.random.default_rng(0).choice(sound, room, replace=False)
    chosen = table.labels.copy()
    chosen[kept] = True
    weights = np.where(table.labels, 1.0, len(sound) / room)[chosen]
    return table.only(chosen), weights


def _joined(cuts: NDArray[np.float64], points: NDArray[np.float64]) -> Steps:
    """Join neighbouring ranges with the same points."""
    rounded = np.round(points, 3)
    kept = np.flatnonzero(np.diff(rounded)) if len(rounded) > 1 else np.array([], dtype=int)
    return Steps(
        tuple(round(float(cuts[n]), 4) for n in kept),
        tuple(float(rounded[n]) for n in [*kept, len(rounded) - 1]),
    )


def totals(card: Scorecard, table: Table) -> NDArray[np.float64]:
    """Return the score of each row."""
    score = np.full(len(table), card.base)
    for name, steps in card.steps.items():
        if name in table.names:
            places = np.searchsorted(steps.cuts, table.column(name), side="right")
            score += np.asarray(steps.points)[places]
    return score


def fit_own(table: Table, card: Scorecard, *, weights: NDArray[np.float64] | None = None) -> Own:
    """Fit a project's own weights beside the prior's score; none where faults are few."""
    from sklearn.linear_model import LogisticRegression

    if table.labels.sum() < LEAST_FAULTS:
        return Own(1.0, 0.0, {})
    centre, spread = table.values.mean(axis=0), table.values.std(axis=0)
    spread[spread == 0] = 1.0
    score = totals(card, table)
    away = np.clip((table.values - centre) / spread, -REACH, REACH)
    columns = np.column_stack([score * PRIOR_SCALE, away])
    fitted = LogisticRegression(C=PENALTY, max_iter=500).fit(
        columns, table.labels, sample_weight=weights
    )
    found = fitted.coef_[0]
    per = {
        name: (float(centre[n]), float(found[n + 1] / spread[n]), float(REACH * spread[n]))
        for n, name in enumerate(table.names)
    }
    return Own(float(found[0] * PRIOR_SCALE), float(fitted.intercept_[0]), per)


def fit_model(table: Table, card: Scorecard, fresh: Table | None = None) -> RiskModel:
    """Fit everything to what is ripe: own weights on the older part, Platt on the newest.

    ``fresh`` is what came after and has not ripened: its early fixes say whether faults have
    become rarer or more frequent since.
    """
    count = int(len(table) * (1 - NEWEST))
    older, newest = np.arange(len(table)) < count, np.arange(len(table)) >= count
    draft = RiskModel(card, fit_own(table.only(older), card))
    platt = fit_platt(odds(draft, table.only(newest)), table.only(newest).labels)
    model = RiskModel(card, draft.own, *platt)
    if fresh is None:
        return model
    return replace(model, shift=model.shift + lately(model, table, fresh))


def lately(model: RiskModel, ripe: Table, fresh: Table) -> float:
    """Return by how much, in log-odds, faults are more or less frequent now than the model says.

    Of the faults of ripe commits a certain share was found within ``EARLY``. The same share
    of what the model expects of fresh commits is held against what was found of them so soon.
    """
    faults = ripe.only(ripe.labels)
    if not len(faults) or not len(fresh):
        return 0.0
    share = float((faults.found - faults.times <= EARLY).mean())
    expected = share * float(predict(model, fresh).sum())
    found = float((fresh.found - fresh.times <= EARLY).sum())
    change = np.log((found + LIKELY) / (expected + LIKELY))
    return float(np.clip(change, -MOST_CHANGE, MOST_CHANGE))


def odds(model: RiskModel, table: Table) -> NDArray[np.float64]:
    """Return the model's log-odds for each row, before Platt scaling."""
    score = model.own.prior * totals(model.card, table) + model.own.bias
    for name, (centre, weight, reach) in model.own.weights.items():
        score += np.clip(table.column(name) - centre, -reach, reach) * weight
    return np.asarray(score)


def predict(model: RiskModel, table: Table) -> NDArray[np.float64]:
    """Return the probability of each row."""
    return np.asarray(1 / (1 + np.exp(-(model.slope * odds(model, table) + model.shift))))


def fit_platt(score: NDArray[np.float64], labels: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and shift that turn scores into probabilities (Platt, 1999).

    Few faults set only the shift, fewer nothing: a slope from a handful would be noise.
    """
    from sklearn.linear_model import LogisticRegression

    faults = int(labels.sum())
    if faults < LEAST_SCALED or faults == len(labels):
        return 1.0, 0.0
    fitted = LogisticRegression(C=1.0).fit(score[:, None], labels)
    return max(0.1, float(fitted.coef_[0][0])), float(fitted.intercept_[0])


def levels_of(probabilities: NDArray[np.float64]) -> dict[str, float]:
    """Return where medium and high begin, drawn from recent changes of the project.

    High are the riskiest 5 %, medium the next 15 %: a share of the project's own changes, for a
    probability alone would make all of one project's low and all of another's high; and small
    ones, for the route saves what is low. But neither begins below ``LIFT`` times the mean: what
    medium adds costs the same for each change and is worth as much as a fault is probable, and
    where a model separates little, the upper fifth is hardly worse than the rest.
    """
    least = LIFT * float(probabilities.mean())
    medium, high = (max(float(q), least) for q in np.quantile(probabilities, [0.8, 0.95]))
    return {"medium": round(medium, 4), "high": round(high, 4)}
