"""The judge as a whole, on seeded streams: what it calls, what it lets be, what it admits."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable

import pytest

from aipipe_core.errors import RequestError
from aipipe_deploy.judge import Arm, Judge, JudgeSettings, Outcome, Tick, Verdict

Rates = Callable[[float], tuple[float, float]]
NORMAL = (0.5, 0.05, 0.01)
DOUBLED = (0.917, 0.398, 0.174)


def _arm(rng: random.Random, n: int, rate: float, beyond: tuple[float, ...] = NORMAL) -> Arm:
    bad = sum(rng.random() < rate for _ in range(n))
    draws = [rng.random() for _ in range(n)]
    p50, p95, p99 = (sum(d < p for d in draws) for p in beyond)
    return Arm(n, bad, (p50, p95, p99))


def _stream(
    rates: Rates,
    *,
    seconds: float = 600,
    slow: Callable[[float], tuple[float, ...]] = lambda _: NORMAL,
    old_slow: Callable[[float], tuple[float, ...]] = lambda _: NORMAL,
    seed: int = 1,
    sizes: tuple[int, int] = (45, 5),
    step: float = 1.0,
) -> Iterable[Tick]:
    rng = random.Random(seed)
    for i in range(int(seconds / step)):
        t = i * step
        old_rate, new_rate = rates(t)
        old = _arm(rng, sizes[0], old_rate, old_slow(t))
        yield Tick(t + step, old, _arm(rng, sizes[1], new_rate, slow(t)))


def _judge(ticks: Iterable[Tick], settings: JudgeSettings | None = None) -> Verdict:
    judge = Judge(settings)
    for tick in ticks:
        if judge.observe(*tick):
            break
    return judge.finish()


def test_a_version_like_the_old_one_passes_early_but_not_before_half_the_window() -> None:
    verdict = _judge(_stream(lambda _: (0.002, 0.002)))
    assert verdict.outcome is Outcome.PASS
    assert verdict.t == 300.0


@pytest.mark.parametrize("seed", range(5))
def test_one_in_five_failing_is_called_within_seconds(seed: int) -> None:
    verdict = _judge(_stream(lambda _: (0.002, 0.2), seed=seed))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.t <= 15.0
    assert "fails more" in verdict.reason


def test_a_fault_that_begins_late_is_called_too() -> None:
    verdict = _judge(_stream(lambda t: (0.002, 0.2 if t >= 200 else 0.002)))
    assert verdict.outcome is Outcome.FAIL
    assert 200 < verdict.t <= 220


@pytest.mark.parametrize("step", [0.25, 1.0, 5.0])
def test_doubled_latency_is_called_at_every_length_of_tick(step: float) -> None:
    sizes = (int(45 * step), max(1, int(5 * step)))
    verdict = _judge(_stream(lambda _: (0.0, 0.0), slow=lambda _: DOUBLED, sizes=sizes, step=step))
    assert verdict.outcome is Outcome.FAIL
    assert "slower" in verdict.reason
    assert "fails more" not in verdict.reason


def test_a_version_that_is_slower_and_fails_is_told_to_do_both() -> None:
    verdict = _judge(
        _stream(lambda t: (0.002, 0.2 if t >= 20 else 0.002),
                slow=lambda t: (1.0, 1.0, 1.0) if t >= 22 else NORMAL)
    )  # fmt: skip
    assert verdict.outcome is Outcome.FAIL
    assert "is slower" in verdict.reason
    assert "; it fails more: " in verdict.reason
    assert verdict.t <= 30.0


def test_a_shared_outage_and_a_shared_slowdown_are_no_fault_of_the_new_version() -> None:
    def shared(t: float) -> tuple[float, float]:
        return (0.5, 0.5) if 100 <= t < 160 else (0.002, 0.002)

    def slow(t: float) -> tuple[float, ...]:
        return DOUBLED if 200 <= t < 280 else NORMAL

    verdict = _judge(_stream(shared, slow=slow, old_slow=slow))
    assert verdict.outcome is Outcome.PASS


def test_an_outage_of_both_for_the_whole_window_is_inconclusive() -> None:
    verdict = _judge(_stream(lambda _: (1.0, 1.0)))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.wants_probes


def test_a_warm_up_is_excused() -> None:
    verdict = _judge(_stream(lambda _: (0.002, 0.002), slow=lambda t: DOUBLED if t < 4 else NORMAL))
    assert verdict.outcome is Outcome.PASS


def test_a_burst_of_ten_errors_rolls_nothing_back() -> None:
    ticks = list(_stream(lambda _: (0.002, 0.002)))
    t, old, new, _ = ticks[120]
    ticks[120] = Tick(t, old, Arm(new.requests + 10, new.bad + 10, new.slow))
    assert _judge(ticks).outcome is not Outcome.FAIL


def test_bursts_on_the_new_version_alone_are_neither_passed_nor_failed() -> None:
    ticks = list(_stream(lambda _: (0.0, 0.0)))
    for at in range(50, 600, 100):
        t, old, new, _ = ticks[at]
        ticks[at] = Tick(t, old, Arm(new.requests + 10, new.bad + 10, new.slow))
    verdict = _judge(ticks)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "bursts" in verdict.reason


def test_a_version_that_answers_only_errors_is_called_without_statistics() -> None:
    verdict = _judge(_stream(lambda _: (0.0, 1.0)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.t <= 3.0


def test_a_crash_is_called_at_once_even_without_traffic() -> None:
    judge = Judge()
    verdict = judge.observe(2.0, Arm(0), Arm(0), "container web-2 was killed for memory")
    assert verdict == Verdict(Outcome.FAIL, 2.0, "container web-2 was killed for memory")


@pytest.mark.parametrize("sizes", [(50, 0), (0, 50), (0, 0)])
def test_a_version_without_traffic_is_inconclusive_and_asks_for_probes(
    sizes: tuple[int, int],
) -> None:
    verdict = _judge(_stream(lambda _: (0.002, 0.002), sizes=sizes))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.wants_probes


def test_little_traffic_is_inconclusive_and_says_how_little() -> None:
    ticks = [Tick(float(i), Arm(9), Arm(1 if i % 10 == 0 else 0)) for i in range(1, 601)]
    verdict = _judge(ticks)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.wants_probes
    assert "60 requests to the new version" in verdict.reason


def test_an_old_version_that_fails_alone_is_no_reason_to_go_back_to_it() -> None:
    assert _judge(_stream(lambda _: (1.0, 0.0))).outcome is not Outcome.FAIL


@pytest.mark.parametrize(
    "broken",
    [
        Arm(math.nan),
        Arm(-5),
        Arm(5, math.nan),
        Arm(5, 6),
        Arm(5, -1),
        Arm(5, 0, (1, 2, 3)),
        Arm(5, 0, (6, 1, 0)),
        Arm(5, 0, (math.nan, 1, 0)),
        Arm(math.inf, math.inf),
    ],
)
def test_broken_counts_are_findings_and_never_a_rollback(broken: Arm) -> None:
    judge = Judge()
    for i in range(1, 601):
        judge.observe(float(i), Arm(45), broken)
    verdict = judge.finish()
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.findings[0].endswith("600 times")


def test_a_few_broken_ticks_do_not_spoil_the_window() -> None:
    ticks = list(_stream(lambda _: (0.002, 0.002)))
    ticks[50] = Tick(51.0, Arm(-1), Arm(5))
    ticks[60] = Tick(math.nan, Arm(45), Arm(5))
    verdict = _judge(ticks)
    assert verdict.outcome is Outcome.PASS
    assert len(verdict.findings) == 2


def test_a_clock_that_jumps_neither_ends_the_window_nor_stops_it() -> None:
    ticks = list(_stream(lambda _: (0.002, 0.002)))
    moved = [t._replace(t=t.t + (86_400 if i > 100 else 0)) for i, t in enumerate(ticks)]
    verdict = _judge(moved)
    assert verdict.outcome is Outcome.PASS
    assert verdict.t == 86_700.0
    assert verdict.findings == ("the clock jumped 1 times",)


def test_a_verdict_once_given_stands() -> None:
    judge = Judge()
    first = judge.observe(1.0, Arm(45), Arm(5), "crashed")
    assert judge.observe(2.0, Arm(45), Arm(5)) is first
    assert judge.finish() is first


def test_a_difference_too_small_to_notice_is_passed_however_certain() -> None:
    slightly = (0.53, 0.055, 0.0115)
    verdict = _judge(
        _stream(lambda _: (0.0, 0.0), slow=lambda _: slightly, sizes=(450, 50), seconds=320)
    )
    assert verdict.outcome is not Outcome.FAIL


def test_slow_counts_may_be_absent() -> None:
    verdict = _judge(Tick(float(i), Arm(45), Arm(5)) for i in range(1, 601))
    assert verdict.outcome is Outcome.PASS


@pytest.mark.parametrize(
    "setting",
    [{"alpha": 0.0}, {"seconds": math.nan}, {"dispersion": -1.0}, {"margin": math.inf}],
)
def test_settings_out_of_range_are_refused_by_name(setting: dict[str, float]) -> None:
    with pytest.raises(RequestError, match=next(iter(setting))) as caught:
        JudgeSettings(**setting)
    assert caught.value.slug == "judge-setting"


@pytest.mark.slow
def test_many_quiet_windows_see_no_false_rollback_beyond_the_bound() -> None:
    outcomes = [
        _judge(_stream(lambda _: (0.01, 0.01), seed=seed, seconds=300)).outcome
        for seed in range(120)
    ]
    # At a rate of 1 %, more than 6 of 120 have a chance below one in a thousand.
    assert outcomes.count(Outcome.FAIL) <= 6
