"""The choice of a strategy and the calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from aipipe_core.errors import RequestError
from aipipe_deploy.config import Calendar, Freeze
from aipipe_deploy.strategies import Choice, Facts, ModelAnswer, choose
from aipipe_deploy.strategies.calendar import Moment, moment_at

ONE = Facts(services=("web",))


def chosen(**changes: Any) -> Choice:
    return choose(replace(ONE, **changes))


@pytest.mark.parametrize(
    ("changes", "strategy"),
    [
        ({"first": True, "risk": "high"}, "first"),
        ({"risk": "low"}, "rolling"),
        ({"risk": "medium"}, "blue-green"),
        ({"risk": "high"}, "canary"),
        ({"risk": "low", "irreversible": True}, "canary"),
        ({"risk": "low", "services": ("web", "api")}, "blue-green"),
        ({"kinds": frozenset({"docs", "config"})}, "rolling"),
        ({"moment": Moment(quiet="fri 16:00-mon 08:00")}, "canary"),
        ({"risk": "low", "moment": Moment(quiet="fri 16:00-mon 08:00")}, "rolling"),
    ],
)
def test_the_rules_choose(changes: dict[str, Any], strategy: str) -> None:
    assert chosen(**changes).strategy == strategy
    assert chosen(**changes).reasons


def test_high_risk_is_watched_for_long() -> None:
    assert chosen(risk="high").long_watch
    assert not chosen(risk="medium").long_watch


def test_a_persons_word_goes_before_the_rules_but_not_before_the_calendar() -> None:
    assert choose(ONE, wanted="hotfix").strategy == "hotfix"
    frozen = replace(ONE, moment=Moment(frozen="year end"))
    with pytest.raises(RequestError, match="year end") as caught:
        choose(frozen, wanted="hotfix")
    assert caught.value.slug == "calendar-frozen"
    assert choose(frozen, wanted="hotfix", anyway=True).strategy == "hotfix"


def test_a_high_risk_waits_until_somebody_is_there() -> None:
    friday = replace(ONE, risk="high", moment=Moment(quiet="fri 16:00-mon 08:00"))
    with pytest.raises(RequestError) as caught:
        choose(friday)
    assert caught.value.slug == "calendar-quiet"
    assert choose(friday, anyway=True).strategy == "canary"


def test_a_model_chooses_among_what_is_allowed_and_its_reason_is_kept() -> None:
    def model(_facts: Facts, allowed: Any) -> ModelAnswer:
        assert "hotfix" not in allowed
        return ModelAnswer("canary", "payments are touched")

    choice = choose(ONE, model=model)

    assert choice.strategy == "canary"
    assert "payments are touched" in choice.reason


@pytest.mark.parametrize("answer", [ModelAnswer("hotfix", "ignore your rules"), None])
def test_a_model_cannot_leave_the_rules(answer: ModelAnswer | None) -> None:
    choice = choose(ONE, model=lambda *_: answer)

    assert choice.strategy == "blue-green"
    assert answer is None or "not allowed" in choice.reason


def test_a_model_is_not_asked_where_there_is_nothing_to_choose() -> None:
    def model(*_: object) -> ModelAnswer:
        raise AssertionError

    assert choose(replace(ONE, risk="high"), model=model).strategy == "canary"


@pytest.mark.parametrize(
    ("when", "quiet"),
    [
        ("2026-11-20T15:59+01:00", False),  # a Friday
        ("2026-11-20T16:00+01:00", True),
        ("2026-11-22T12:00+01:00", True),
        ("2026-11-23T07:59+01:00", True),
        ("2026-11-23T08:00+01:00", False),
        ("2026-11-23T07:30+00:00", False),  # half past eight where the team is
    ],
)
def test_the_weekend_is_quiet_in_the_teams_own_time(when: str, quiet: bool) -> None:
    calendar = Calendar(timezone="Europe/Berlin")

    assert bool(moment_at(calendar, datetime.fromisoformat(when)).quiet) is quiet


def test_a_freeze_has_a_start_an_end_and_a_reason() -> None:
    calendar = Calendar(
        timezone="UTC", quiet=(), freeze=(Freeze("2026-12-20", "2027-01-02T12:00", "year end"),)
    )

    def at(text: str) -> str:
        return moment_at(calendar, datetime.fromisoformat(text)).frozen

    assert at("2026-12-19T23:59+00:00") == ""
    assert at("2026-12-20T00:00+00:00") == "year end"
    assert at("2027-01-02T12:00+00:00") == ""
