"""The sequential test keeps to its stated error rates."""

from __future__ import annotations

import random

import pytest

from pytest_aipipe.flaky.interval import interval, words
from pytest_aipipe.flaky.sequential import FLAKY, STEADY, Sequential, most_runs, smallest_rate


def decided(test: Sequential, rate: float, chance: random.Random) -> str:
    while (verdict := test.verdict) is None:
        test.tell(bad=chance.random() < rate)
    return verdict


def test_one_failure_among_passes_decides() -> None:
    test = Sequential()
    assert test.tell(bad=False) is None
    assert test.tell(bad=True) == FLAKY


def test_passes_alone_decide_after_as_many_runs_as_the_miss_rate_demands() -> None:
    test = Sequential(least=0.15)
    while test.verdict is None:
        test.tell(bad=False)
    assert test.verdict == STEADY
    assert (1 - 0.15) ** test.runs <= 0.05 * 1.1


def test_a_test_at_the_least_rate_is_missed_as_rarely_as_stated() -> None:
    chance = random.Random(1)
    missed = sum(decided(Sequential(), 0.1, chance) == STEADY for _ in range(2000))
    assert missed / 2000 <= 0.065


def test_a_test_with_the_noise_of_the_surroundings_is_rarely_called_flaky() -> None:
    chance = random.Random(2)
    alarms = sum(decided(Sequential(), 0.0005, chance) == FLAKY for _ in range(2000))
    assert alarms / 2000 <= 0.025


@pytest.mark.parametrize(("least", "miss"), [(0.5, 0.05), (0.1, 0.05), (0.01, 0.01)])
def test_as_many_passes_as_are_demanded_rule_the_rate_out(least: float, miss: float) -> None:
    runs = most_runs(least, miss)
    assert (1 - least) ** runs <= miss < (1 - least) ** (runs - 1)
    assert smallest_rate(runs, miss) <= least


def test_no_run_rules_nothing_out() -> None:
    assert smallest_rate(0, 0.05) == 1.0
    assert most_runs(1.0, 0.05) == 1


@pytest.mark.parametrize(
    ("failures", "runs", "low", "high"),
    # R: binom.test(failures, runs)$conf.int
    [(0, 10, 0.0, 0.3085), (3, 10, 0.0667, 0.6525), (10, 10, 0.6915, 1.0), (1, 50, 0.0005, 0.1065)],
)
def test_the_interval_is_the_exact_one(failures: int, runs: int, low: float, high: float) -> None:
    assert interval(failures, runs) == pytest.approx((low, high), abs=5e-4)


def test_without_a_run_nothing_is_known_and_too_many_failures_are_refused() -> None:
    assert interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="4 failures of 3 runs"):
        interval(4, 3)


def test_a_rate_is_told_with_its_interval() -> None:
    assert words(3, 10) == "3 of 10 runs, 30 % (95 %: 7 to 65 %)"
