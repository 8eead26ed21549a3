"""Which cause is named where several knobs turn a verdict, or none does."""

from __future__ import annotations

from typing import Any

from pytest_aipipe.flaky.causes import RANK, WORDS, Cause
from pytest_aipipe.flaky.experiments import Baseline, Hit
from pytest_aipipe.flaky.hunt import Hunt, attributed, unexplained
from pytest_aipipe.flaky.sequential import Sequential
from pytest_aipipe.flaky.sweeps import Setting
from pytest_aipipe.flaky.verdict import Verdict


def hit(
    cause: Cause, *, schedule: bool = False, turned: int = 3, step: float = 0.0, **touched: object
) -> Hit:
    failure = Verdict("t", "failed", "assert 1 == 2", types=("AssertionError",), touched=touched)
    knobs = {"clock_step": step} if step else {}
    setting = Setting(cause, f"turned {cause}", knobs=knobs, schedule=schedule)
    return Hit(setting, turned, 3, failure)


def test_the_narrower_cause_is_named() -> None:
    found = attributed("t", [hit(Cause.HASH_SEED), hit(Cause.UNORDERED)])
    assert found.cause is Cause.UNORDERED
    assert "turned unordered-collection (3 of 3)" in found.evidence[0]


def test_a_zone_says_more_than_a_clock_that_turns_a_verdict_only_at_midnight() -> None:
    zone, midnight, morning = (
        hit(Cause.TIME_ZONE), hit(Cause.CLOCK, step=0.015), hit(Cause.CLOCK),
    )  # fmt: skip
    assert attributed("t", [zone, midnight]).cause is Cause.TIME_ZONE
    assert attributed("t", [zone, midnight, morning]).cause is Cause.CLOCK
    assert attributed("t", [midnight]).cause is Cause.CLOCK


def test_a_mend_has_to_hold_under_the_settings_of_other_causes_too() -> None:
    found = attributed("t", [hit(Cause.RANDOMNESS, turned=2), hit(Cause.UNORDERED)])
    assert [one.cause for one in found.settings] == [Cause.UNORDERED, Cause.RANDOMNESS]
    assert found.provoked == (2, 3)


def test_a_delay_blames_the_tasks_where_there_are_tasks() -> None:
    delay = hit(Cause.CONCURRENCY, schedule=True, loops=1)
    assert attributed("t", [delay]).cause is Cause.ASYNC


def test_every_cause_has_words_and_those_of_experiments_a_rank() -> None:
    assert set(WORDS) == set(Cause)
    by_experiment = {
        Cause.PORTS, Cause.FILES, Cause.NETWORK, Cause.LOCALE, Cause.UNORDERED, Cause.HASH_SEED,
        Cause.RANDOMNESS, Cause.CLOCK, Cause.TIME_ZONE, Cause.ASYNC, Cause.CONCURRENCY,
        Cause.RESOURCES,
    }  # fmt: skip
    assert set(RANK) == by_experiment


def test_what_still_changes_with_all_pinned_is_told_by_what_it_uses() -> None:
    def cause(**touched: object) -> Cause:
        return unexplained("t", Verdict("t", "failed", touched=touched), mixed=True).cause

    assert cause(threads=1) is Cause.CONCURRENCY
    assert cause(loops=1) is Cause.ASYNC
    assert cause(clock=1) is Cause.CLOCK
    assert cause() is Cause.UNORDERED
    assert cause(written=["/x"]) is Cause.UNKNOWN
    assert unexplained("t", Verdict("t", "failed"), mixed=False).cause is Cause.UNKNOWN


def test_what_fails_only_in_the_laboratory_is_noted_and_not_called_flaky() -> None:
    lab: Any = None
    hunt = Hunt(lab, ["t"])
    hunt.experiments.base["t"] = Baseline([Verdict("t", "failed")] * 3)
    hunt.reruns["t"] = Sequential(runs=6, failures=0)
    hunt._rest()
    assert hunt.found == {}
    assert "t fails with everything pinned and passes as it is (6 of 6)" in hunt.notes[0]


def test_what_fails_in_some_runs_as_it_is_and_in_none_when_pinned_is_flaky() -> None:
    lab: Any = None
    hunt = Hunt(lab, ["t"])
    hunt.experiments.base["t"] = Baseline([Verdict("t", "passed")] * 3)
    hunt.reruns["t"] = Sequential(runs=6, failures=2)
    hunt.failures["t"] = Verdict("t", "failed")
    hunt._rest()
    assert hunt.found["t"].cause is Cause.UNKNOWN
