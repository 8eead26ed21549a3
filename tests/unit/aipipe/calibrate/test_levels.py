"""Where medium and high begin: a share of a project's own changes, and well above its mean."""

from __future__ import annotations

import numpy as np

from aipipe.calibrate.fit import LIFT, levels_of


def shares(probabilities: np.ndarray) -> tuple[float, float]:
    found = levels_of(probabilities)
    above = probabilities >= found["medium"] - 1e-4
    return float(above.mean()), float((probabilities >= found["high"] - 1e-4).mean())


def test_where_a_model_separates_well_the_riskiest_fifth_is_above_low() -> None:
    steep = np.concatenate([np.full(780, 0.01), np.linspace(0.3, 0.6, 220)])
    medium, high = shares(steep)
    assert abs(medium - 0.2) < 0.01
    assert abs(high - 0.05) < 0.01


def test_where_it_separates_little_nothing_is_above_low() -> None:
    flat = np.linspace(0.04, 0.06, 1000)
    assert shares(flat) == (0.0, 0.0)


def test_between_them_the_mean_decides() -> None:
    some = np.concatenate([np.full(900, 0.02), np.full(100, 0.12)])
    found = levels_of(some)
    assert found["medium"] >= round(LIFT * float(some.mean()), 4)
    assert shares(some)[0] == 0.1


def test_high_never_begins_below_medium() -> None:
    for seed in range(20):
        found = levels_of(np.random.default_rng(seed).beta(0.5, 8, 300))
        assert found["medium"] <= found["high"]
