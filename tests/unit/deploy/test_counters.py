from __future__ import annotations

import math

import pytest

from aipipe_deploy.judge import Arm, Tick
from aipipe_deploy.judge.counters import FROZEN_REQUESTS, CounterReader, Totals


def _reader(old: Arm, new: Arm) -> CounterReader:
    reader = CounterReader()
    assert reader.read(Totals(0.0, old, new)).tick is None
    return reader


def test_a_tick_is_the_difference_of_two_readings() -> None:
    reader = _reader(Arm(1000, 2, (500, 50, 10)), Arm(100, 1, (50, 5, 1)))
    tick, finding = reader.read(Totals(1.0, Arm(1045, 2, (520, 53, 10)), Arm(105, 2, (53, 6, 1))))
    assert tick == Tick(1.0, Arm(45, 0, (20, 3, 0)), Arm(5, 1, (3, 1, 0)))
    assert not finding


def test_a_reload_that_resets_one_counter_drops_the_tick_for_both_versions() -> None:
    reader = _reader(Arm(1000), Arm(100))
    reading = reader.read(Totals(1.0, Arm(40), Arm(105)))
    assert reading.tick is None
    assert "anew" in reading.finding
    assert reader.read(Totals(2.0, Arm(85), Arm(110))).tick == Tick(2.0, Arm(45), Arm(5))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (None, "no answer"),
        (Arm(math.nan), "no count"),
        (Arm(-1), "negative"),
        (Arm(math.inf), "no count"),
    ],
)
def test_an_unusable_reading_is_made_up_by_the_next_for_both(broken: Arm | None, says: str) -> None:
    reader = _reader(Arm(1000), Arm(100))
    reading = reader.read(Totals(1.0, Arm(1045), broken))
    assert reading.tick is None
    assert says in reading.finding
    assert reader.read(Totals(2.0, Arm(1090), Arm(110))).tick == Tick(2.0, Arm(90), Arm(10))


def test_a_reading_that_comes_twice_is_no_tick() -> None:
    reader = _reader(Arm(1000), Arm(100))
    assert "twice" in reader.read(Totals(0.0, Arm(1000), Arm(100))).finding


def test_a_time_that_is_no_number_is_a_finding() -> None:
    reader = _reader(Arm(1000), Arm(100))
    assert "nan" in reader.read(Totals(math.nan, Arm(1001), Arm(100))).finding


def test_counters_that_stand_still_while_the_other_version_serves_are_reported() -> None:
    reader = _reader(Arm(0), Arm(100))
    findings = [reader.read(Totals(float(i), Arm(50 * i), Arm(100))).finding for i in range(1, 9)]
    assert [i for i, text in enumerate(findings, 1) if text] == [FROZEN_REQUESTS // 50, 8]
