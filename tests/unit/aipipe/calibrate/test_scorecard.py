"""Scorecards, models and their words."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aipipe.calibrate.model import Own, RiskModel, read_model
from aipipe.calibrate.scorecard import Scorecard, Steps, prior, read_scorecard
from aipipe.calibrate.scores import calibration_error, interval
from aipipe.calibrate.table import HORIZON, YEAR, Table, split
from aipipe.calibrate.words import in_words
from aipipe_core.documents import load_schema, validate

CARD = Scorecard(-2.0, {"a": Steps((1.0, 3.0), (-0.5, 0.0, 0.75)), "b": Steps((), (0.1,))}, "x")


def test_points_are_those_of_the_range_that_holds_the_value() -> None:
    assert [CARD.steps["a"].at(value) for value in (0.9, 1.0, 2.9, 3.0, 99.0)] == [
        -0.5,
        0.0,
        0.0,
        0.75,
        0.75,
    ]
    assert CARD.total({"a": 5.0, "b": 0.0}) == pytest.approx(-1.15)


def test_the_effects_and_the_base_make_the_probability() -> None:
    model = RiskModel(CARD, Own(0.8, 0.1, {"a": (1.0, 0.5, 9.0), "c": (0.0, -0.2, 9.0)}), 1.3, -0.4)
    measures = {"a": 4.0, "b": 1.0, "c": 2.0}
    odds = model.base + sum(model.effects(measures).values())
    assert model.probability(measures) == pytest.approx(1 / (1 + math.exp(-odds)))
    by_hand = 1.3 * (0.8 * CARD.total(measures) + 0.1 + 0.5 * 3.0 - 0.2 * 2.0) - 0.4
    assert odds == pytest.approx(by_hand)


def test_what_is_not_known_adds_nothing_and_what_was_never_seen_no_more() -> None:
    model = RiskModel(CARD, Own(1.0, 0.0, {"a": (1.0, 0.5, 2.0)}))
    assert model.effects({}) == {"a": 0.0}
    assert model.effects({"a": 500.0})["a"] == model.effects({"a": 4.0})["a"]


def test_models_and_scorecards_survive_their_documents() -> None:
    assert read_scorecard(CARD.document()) == CARD
    model = RiskModel(CARD, Own(0.8, 0.1, {"a": (1.0, 0.5, 9.0)}), 1.3, -0.4)
    assert read_model(model.document()) == model
    kept = {
        "schema": 1,
        "head": "a" * 40,
        "fitted": "2024-01-01T00:00:00+00:00",
        "scores": {},
        "shapes": {},
        "levels": {"medium": 0.1, "high": 0.2},
        "model": model.document(),
    }
    validate("model", kept)
    assert load_schema("model")["title"]


def test_the_prior_that_ships_is_small_and_says_that_code_is_more_risk_than_none() -> None:
    card = prior()
    assert "projects" in card.source
    little, much = {"code_added": 0.0, "no_code": 1.0}, {"code_added": 5.0, "no_code": 0.0}
    assert card.total(little) < card.total(much)
    for name, steps in card.steps.items():
        assert len(steps.points) == len(steps.cuts) + 1
        assert list(steps.cuts) == sorted(steps.cuts)
        assert not in_words(name, 1.0).startswith(name)


def table(times: list[float], found: list[float]) -> Table:
    values = np.arange(len(times), dtype=float)[:, None]
    return Table(("a",), np.array(times), np.array(found), values)


def test_who_learns_at_a_moment_sees_only_what_had_ripened_by_then() -> None:
    times = [n * YEAR / 10 for n in range(100)]
    found = [t + YEAR / 2 if n % 3 == 0 else np.inf for n, t in enumerate(times)]
    parts = split(table(times, found), times[-1])
    assert parts.past.times.max() + HORIZON <= parts.moment
    assert parts.later.times.min() >= parts.moment
    assert parts.later.times.max() + HORIZON <= times[-1]
    fixes = parts.fresh.found[np.isfinite(parts.fresh.found)]
    assert (fixes <= parts.moment).all()
    assert len(parts.fresh)


def test_an_empty_history_splits_into_nothing() -> None:
    parts = split(table([1.0, 2.0], [np.inf, np.inf]), 3.0)
    assert not len(parts.later)
    assert not len(parts.past)


def test_the_calibration_error_is_the_mean_distance_of_promise_and_fact() -> None:
    labels = np.array([False] * 90 + [True] * 10)
    assert calibration_error(labels, np.full(100, 0.1)) == pytest.approx(0.18, abs=0.01)
    shuffled = labels[np.random.default_rng(0).permutation(100)]
    assert calibration_error(shuffled, np.linspace(0, 1, 100)) > 0.3


def test_an_interval_holds_the_mean_of_its_values() -> None:
    low, high = interval(np.array([0.1, 0.2, 0.15, 0.12]))
    assert 0.1 <= low < 0.1425 < high <= 0.2


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("code_added", math.log1p(12), "12 new lines of the product's code"),
        ("files", math.log1p(1), "1 file of the product is touched"),
        ("lines_own", 0.25, "25% of the touched lines are its author's own"),
        ("tests_missing", 1.0, "code was added and no test"),
        ("tests_missing", 0.0, "tests came along, or no code was added"),
    ],
)
def test_a_measure_reads_as_a_reason(name: str, value: float, said: str) -> None:
    assert in_words(name, value) == said
