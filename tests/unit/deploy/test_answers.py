"""How long either version took: the proxy's log of each answer, and what the judge is told."""

from __future__ import annotations

import random
import socket
import time
from typing import TYPE_CHECKING

from aipipe_deploy.judge import Arm, Judge, JudgeSettings, Outcome
from aipipe_deploy.sources import AnswerLog, Latency
from aipipe_deploy.sources.answers import LEARNED_FROM

if TYPE_CHECKING:
    from pathlib import Path


def learned(log: AnswerLog) -> Latency:
    """A latency that knows its limits: the old version took 1 to 80 ms."""
    latency = Latency(log, "web", old=["s1"], new=["s2"])
    for spent in range(1, LEARNED_FROM + 1):
        log.note(b"web s1 %d" % spent)
    assert latency.with_slow(Arm(80), Arm(8)) == (Arm(80), Arm(8))
    return latency


def test_slow_requests_are_counted_by_the_old_versions_quantiles(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path / "a.sock")
    latency = learned(log)
    for line in (b"web s1 10", b"web s1 50", b"web s2 39", b"web s2 78", b"web s2 400"):
        log.note(line)
    old, new = latency.with_slow(Arm(2), Arm(3, 1))
    assert old == Arm(2, 0, (1, 0, 0))
    assert new == Arm(3, 1, (2, 2, 1))


def test_an_answer_that_the_counters_do_not_hold_yet_waits_for_the_next_tick(
    tmp_path: Path,
) -> None:
    log = AnswerLog(tmp_path / "a.sock")
    latency = learned(log)
    for _ in range(3):
        log.note(b"web s2 400")
    assert latency.with_slow(Arm(0), Arm(1))[1].slow == (1, 1, 1)
    assert latency.with_slow(Arm(0), Arm(5))[1].slow == (2, 2, 2)


def test_what_is_no_line_of_the_log_is_passed_over(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path / "a.sock")
    for line in (b"", b"web s1", b"web s1 -1", b"web s1 soon", b"\xff\xfe \x00 1 2", b"other s1 7"):
        log.note(line)
    assert log.take("web", ["s1"]) == []


def test_what_is_sent_to_the_socket_is_heard_and_the_socket_goes_at_the_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.sock"
    path.write_text("left by an earlier process")
    log = AnswerLog(path)
    log.start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as proxy:
        proxy.connect(str(path))
        proxy.send(b"web s1 12\n")
    heard: list[int] = []
    until = time.monotonic() + 10
    while not heard and time.monotonic() < until:
        heard = log.take("web", ["s1"])
    log.stop()
    assert heard == [12]
    assert not path.exists()


def test_a_place_where_no_socket_can_be_made_only_means_that_nothing_is_heard(
    tmp_path: Path,
) -> None:
    log = AnswerLog(tmp_path / "no" / "folder" / "a.sock")
    log.start()
    log.stop()
    assert log.take("web", ["s1"]) == []


def _judged(slower: float, seed: int) -> Judge:
    """A canary of 10 % at 50 requests a second, told of as the proxy's log would."""
    rng, judge, log = random.Random(seed), Judge(JudgeSettings(seconds=60.0)), _Unheard()
    latency = Latency(log, "web", old=["s1"], new=["s2"])
    now = 0.0
    while judge.verdict is None and now < 60.0:
        now += 0.25
        counts = [0, 0]
        for _ in range(rng.choice((12, 13))):
            is_new = rng.random() < 0.1
            spent = 20 * rng.lognormvariate(0.0, 0.3) * (slower if is_new else 1.0)
            log.note(f"web {'s2' if is_new else 's1'} {spent:.0f}".encode())
            counts[is_new] += 1
        judge.observe(now, *latency.with_slow(Arm(counts[0]), Arm(counts[1])))
    return judge


class _Unheard(AnswerLog):
    def __init__(self) -> None:
        super().__init__(None)  # type: ignore[arg-type]  # it is never started


def test_a_version_that_takes_twice_as_long_is_told_and_one_that_does_not_is_left() -> None:
    slow = [_judged(2.0, seed).verdict for seed in range(5)]
    assert all(one is not None and one.outcome is Outcome.FAIL for one in slow)
    assert all(one is not None and "slower" in one.reason for one in slow)
    same = [_judged(1.0, seed).verdict for seed in range(5)]
    assert all(one is None or one.outcome is not Outcome.FAIL for one in same)
