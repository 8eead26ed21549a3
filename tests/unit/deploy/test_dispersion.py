"""Over-dispersion of what the old version failed, estimated from the seconds before a release."""

from __future__ import annotations

import random

import pytest

from aipipe_deploy.judge.dispersion import MOST, Run, dispersion

MINUTES = 60


def poisson(rng: random.Random, mean: float) -> int:
    """Count arrivals of a Poisson process in one unit of time."""
    count, at = 0, rng.expovariate(mean) if mean else 2.0
    while at < 1.0:
        count += 1
        at += rng.expovariate(mean)
    return count


def singles(rate: float, *, minutes: int = MINUTES, seed: int = 1) -> list[Run]:
    rng = random.Random(seed)
    return [Run(60, {s: n for s in range(60) if (n := poisson(rng, rate))}) for _ in range(minutes)]


def clumps(rate: float, size: int, *, seed: int = 1) -> list[Run]:
    return [
        Run(run.seconds, {s: size * n for s, n in run.bad.items()})
        for run in singles(rate, seed=seed)
    ]


@pytest.mark.parametrize("rate", [0.1, 0.5, 5.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_failures_that_come_singly_have_the_dispersion_of_chance(rate: float, seed: int) -> None:
    assert dispersion(singles(rate, seed=seed)) < 1.2


@pytest.mark.parametrize("size", [2, 4, 8])
def test_failures_that_come_by_the_clump_have_that_of_the_clump(size: int) -> None:
    assert dispersion(clumps(0.1, size)) == pytest.approx(size, rel=0.25)


def test_a_rate_that_drifts_through_the_day_is_no_clumping() -> None:
    runs = [run for hour in range(6) for run in singles(0.2 + 0.8 * hour, minutes=20, seed=hour)]

    assert dispersion(runs) < 1.2


def test_an_outage_that_strikes_both_versions_is_left_out() -> None:
    outage = [Run(60, dict.fromkeys(range(20, 60), 25.0)), Run(60, dict.fromkeys(range(30), 25.0))]

    assert dispersion([*singles(0.2), *outage]) == dispersion(singles(0.2))


def test_it_is_never_more_than_the_most() -> None:
    assert dispersion(clumps(0.01, 60, seed=4) + singles(0.5)) <= MOST


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [Run(60, {})] * 10,
        [Run(60, {5: 1.0})] * 29,
        [Run(60, {30: 10.0})] * 5,
        [Run(1, {0: 5.0})] * 50,
    ],
    ids=["nothing", "no failure", "few failures", "a few bursts", "no two seconds in a row"],
)
def test_too_little_says_nothing(runs: list[Run]) -> None:
    assert dispersion(runs) == 1.0


def test_a_gap_between_two_runs_is_no_difference() -> None:
    level = [Run(30, dict.fromkeys(range(30), 3.0)), Run(30, {})] * 20

    assert dispersion(level) == 1.0
