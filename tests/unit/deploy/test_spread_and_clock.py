from __future__ import annotations

import pytest

from aipipe_deploy.judge.clock import TickClock
from aipipe_deploy.judge.outright import TotalFailure
from aipipe_deploy.judge.spread import CREDIT, Spread


def test_single_errors_count_in_full() -> None:
    spread = Spread()
    total = 0.0
    for _ in range(10):
        spread.wait(2.0, 1.0)
        total += spread.counted(1, 0.0)
    assert total == pytest.approx(10.0)


@pytest.mark.parametrize("parts", [(10,), (5, 5), (3, 4, 3)])
def test_ten_errors_in_one_second_count_less_than_two_single_ones(parts: tuple[int, ...]) -> None:
    spread = Spread()
    total = 0.0
    for index, part in enumerate(parts):
        spread.wait(60.0 if index == 0 else 0.25, 0.25)
        total += spread.counted(part, 0.0)
    assert total < 2.0


def test_a_lasting_fault_is_soon_told_from_a_burst() -> None:
    spread = Spread()
    clumping = []
    for _ in range(8):
        spread.wait(1.0, 1.0)
        spread.counted(10, 0.0)
        clumping.append(spread.clumping())
    assert clumping[0] > 2.0
    assert clumping[-1] == 1.0


def test_bursts_that_come_again_stay_clumped() -> None:
    spread = Spread()
    for _ in range(5):
        spread.wait(20.0, 1.0)
        spread.counted(10, 0.0)
    assert spread.clumping() > 3.0


def test_errors_that_the_old_version_shares_are_not_held_back() -> None:
    spread = Spread()
    spread.wait(1.0, 1.0)
    assert spread.counted(4, 3.0) > CREDIT


def test_the_clock_adds_up_ordinary_ticks() -> None:
    clock = TickClock()
    steps = [clock.advance(t) for t in (0.25, 0.5, 1.0)]
    assert steps == [0.25, 0.25, 0.5]
    assert clock.elapsed == 1.0


def test_a_clock_that_starts_at_an_epoch_counts_one_second_first() -> None:
    clock = TickClock()
    assert clock.advance(1_700_000_000.0) == 1.0
    assert clock.advance(1_700_000_002.0) == 2.0
    assert clock.jumps == 0


@pytest.mark.parametrize("leap", [-3600.0, 3600.0])
def test_a_clock_that_jumps_costs_one_ordinary_tick(leap: float) -> None:
    clock = TickClock()
    for t in (1.0, 2.0, 3.0 + leap, 4.0 + leap):
        clock.advance(t)
    assert clock.elapsed == pytest.approx(4.0)
    assert clock.jumps == 1


def test_a_tick_delivered_twice_takes_no_time() -> None:
    clock = TickClock()
    clock.advance(1.0)
    assert clock.advance(1.0) == 0.0
    assert clock.repeats == 1


def test_an_unbroken_run_of_failures_is_total() -> None:
    total = TotalFailure()
    seen = [total.observe(1.0, (45, 5), (0, 5)) for _ in range(3)]
    assert seen == [False, False, True]


def test_one_good_answer_breaks_the_run() -> None:
    total = TotalFailure()
    for bad in (5, 5, 4, 5, 5):
        assert not total.observe(1.0, (45, 5), (0, bad))


def test_a_failure_that_the_old_version_shares_is_not_the_new_ones() -> None:
    total = TotalFailure()
    assert not any(total.observe(1.0, (45, 5), (45, 5)) for _ in range(60))


def test_one_burst_on_an_idle_version_is_not_total() -> None:
    total = TotalFailure()
    total.observe(1.0, (45, 10), (0, 10))
    assert not any(total.observe(1.0, (45, 0), (0, 0)) for _ in range(20))
