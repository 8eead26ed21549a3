"""Errors when nearly all traffic is the new version's already."""

from __future__ import annotations

from aipipe_deploy.judge import Arm, Judge, JudgeSettings, Outcome
from aipipe_deploy.judge.wide import WideEvidence


def watched(seconds: int, new_bad: int, old_bad: int = 0) -> Judge:
    """95 of 100 requests a second are the new version's."""
    judge = Judge(JudgeSettings(seconds=60.0))
    for second in range(1, seconds + 1):
        judge.observe(float(second), Arm(5, old_bad), Arm(95, new_bad))
    return judge


def test_a_version_that_fails_half_of_its_requests_does_not_hide_behind_its_share() -> None:
    verdict = watched(8, new_bad=47).verdict

    assert verdict is not None
    assert verdict.outcome is Outcome.FAIL
    assert "fails more" in verdict.reason


def test_an_outage_that_strikes_both_is_nobodys_fault() -> None:
    assert watched(30, new_bad=48, old_bad=3).verdict is None


def test_one_burst_however_large_is_not_enough() -> None:
    evidence = WideEvidence(tolerance=1.05, dispersion=1.0)

    assert evidence.observe(1.0, (5, 995), (0, 900)) < 21
    for _ in range(20):
        value = evidence.observe(1.0, (5, 995), (0, 0))
    assert value < 21


def test_no_bet_is_placed_while_the_old_version_has_its_part() -> None:
    evidence = WideEvidence(tolerance=1.05, dispersion=1.0)

    assert evidence.observe(1.0, (50, 50), (0, 50)) == 1.0
