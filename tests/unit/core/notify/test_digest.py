"""Events in, few messages out: grouping, muting, quiet hours, flapping, deploys, restarts."""

from __future__ import annotations

import json
import random
from datetime import time
from typing import TYPE_CHECKING

import pytest

from aipipe_core.errors import RequestError
from aipipe_core.notify import Action, Event, Kind, Outbox, Policy, QuietHours, Severity, Status
from aipipe_core.notify.digest import Digest
from aipipe_core.notify.group import MOST_ALERTS

if TYPE_CHECKING:
    from pathlib import Path

NIGHT = QuietHours(time(22), time(7))


def _alert(
    at: float,
    name: str = "disk",
    severity: Severity = Severity.ERROR,
    *,
    over: bool = False,
    service: str = "web",
) -> Event:
    status = Status.RESOLVED if over else Status.FIRING
    return Event(at, service, name, severity, status)


def _deploy(
    at: float, severity: Severity = Severity.INFO, *, over: bool = False, text: str = ""
) -> Event:
    status = Status.RESOLVED if over else Status.FIRING
    return Event(at, "web", "d1", severity, status, Kind.DEPLOY, text=text)


def test_alerts_of_one_service_are_one_message_after_the_wait() -> None:
    digest = Digest(Policy("chat"))
    for i in range(5):
        digest.take(_alert(float(i), f"check-{i}"))
    assert digest.due(10.0) == []
    assert digest.next_due(10.0) == 30.0
    (message,) = digest.due(30.0)
    assert message.action is Action.OPEN
    assert message.title == "web: check-0 and 4 more"
    assert len(message.text.splitlines()) == 5


def test_a_page_never_waits() -> None:
    digest = Digest(Policy("chat"))
    digest.take(_alert(0.0, severity=Severity.PAGE))
    assert [m.severity for m in digest.due(0.0)] == [Severity.PAGE]


def test_a_second_page_in_a_group_that_was_told_does_not_wait_either() -> None:
    digest = Digest(Policy("chat"))
    digest.take(_alert(0.0, "one", Severity.PAGE))
    digest.due(0.0)
    digest.take(_alert(5.0, "two", Severity.PAGE))
    assert [m.action for m in digest.due(5.0)] == [Action.UPDATE]


def test_a_page_that_was_over_before_it_could_be_told_is_told_and_resolved() -> None:
    digest = Digest(Policy("chat"))
    digest.take(_alert(0.0, severity=Severity.PAGE))
    digest.take(_alert(1.0, severity=Severity.PAGE, over=True))
    assert [m.action for m in digest.due(2.0)] == [Action.OPEN, Action.RESOLVE]


def test_a_warning_that_was_over_within_the_wait_is_never_told() -> None:
    digest = Digest(Policy("chat"))
    digest.take(_alert(0.0, severity=Severity.WARNING))
    digest.take(_alert(5.0, severity=Severity.WARNING, over=True))
    assert digest.due(60.0) == []
    assert digest.groups == {}


def test_the_same_again_is_no_news() -> None:
    digest = Digest(Policy("chat", wait=0.0))
    digest.take(_alert(0.0))
    assert len(digest.due(0.0)) == 1
    for i in range(1, 1000):
        digest.take(_alert(float(i)))
        assert digest.due(float(i)) == []


def test_news_of_a_group_waits_for_the_interval_and_its_end_for_nothing() -> None:
    digest = Digest(Policy("chat", wait=0.0, interval=300.0))
    digest.take(_alert(0.0, "one"))
    digest.due(0.0)
    digest.take(_alert(10.0, "two"))
    assert digest.due(200.0) == []
    assert [m.action for m in digest.due(300.0)] == [Action.UPDATE]
    digest.take(_alert(310.0, "one", over=True))
    assert digest.due(310.0) == []
    digest.take(_alert(311.0, "two", over=True))
    (message,) = digest.due(311.0)
    assert message.action is Action.RESOLVE
    assert message.title.startswith("Resolved: ")


def test_a_louder_alert_of_a_group_that_was_told_pages_at_once() -> None:
    digest = Digest(Policy("chat", wait=0.0))
    digest.take(_alert(0.0))
    digest.due(0.0)
    digest.take(_alert(3.0, severity=Severity.PAGE))
    assert [m.severity for m in digest.due(3.0)] == [Severity.PAGE]


def test_a_channel_hears_nothing_below_its_threshold() -> None:
    digest = Digest(Policy("pager", least=Severity.PAGE, wait=0.0))
    for severity in (Severity.INFO, Severity.WARNING, Severity.ERROR):
        digest.take(_alert(0.0, severity.name, severity))
    assert digest.due(1.0) == []
    digest.take(_alert(2.0, "down", Severity.PAGE))
    assert len(digest.due(2.0)) == 1


def test_a_failed_deploy_that_was_told_mutes_its_services_alarms_until_it_is_over() -> None:
    digest = Digest(Policy("chat", wait=0.0))
    digest.take(_deploy(0.0, Severity.PAGE, text="failed"))
    assert len(digest.due(0.0)) == 1
    digest.take(_alert(1.0))
    digest.take(_alert(1.0, service="other"))
    assert [m.key for m in digest.due(5.0)] == ["alert/other#1"]
    digest.take(_deploy(60.0, over=True, text="rolled back"))
    keys = {m.key for m in digest.due(62.0)}
    assert keys == {"deploy/web/d1#1", "alert/web#1"}


def test_a_failed_deploy_told_less_loudly_than_a_page_does_not_mute_the_page() -> None:
    digest = Digest(Policy("chat", wait=0.0))
    digest.take(_deploy(0.0, Severity.ERROR))
    digest.due(0.0)
    digest.take(_alert(1.0, severity=Severity.PAGE))
    assert len(digest.due(1.0)) == 1


def test_a_deploy_is_one_message_that_is_updated() -> None:
    digest = Digest(Policy("chat", least=Severity.INFO, edits=True))
    messages = []
    for step in range(20):
        digest.take(_deploy(float(step), text=f"step {step}"))
        messages += digest.due(float(step))
    digest.take(_deploy(20.0, over=True, text="done"))
    messages += digest.due(20.0)
    assert {m.key for m in messages} == {"deploy/web/d1#1"}
    assert [m.number for m in messages] == list(range(1, len(messages) + 1))
    assert len(messages) <= 12
    assert messages[-1].action is Action.RESOLVE


def test_quiet_hours_hold_what_can_wait_and_let_pages_through() -> None:
    digest = Digest(Policy("chat", wait=0.0, quiet=NIGHT))
    three = 3 * 3600.0
    digest.take(_alert(three))
    digest.take(_alert(three, "down", Severity.PAGE, service="db"))
    assert [m.key for m in digest.due(three)] == ["alert/db#1"]
    assert [m.key for m in digest.due(7 * 3600.0)] == ["alert/web#1"]


@pytest.mark.parametrize(("hour", "quiet"), [(21, False), (22, True), (3, True), (7, False)])
def test_the_night_goes_over_midnight(hour: int, quiet: bool) -> None:
    assert NIGHT.holds(hour * 3600.0, Severity.ERROR) is quiet
    assert not NIGHT.holds(hour * 3600.0, Severity.PAGE)


def test_what_flaps_is_told_as_such_and_then_left_alone_until_it_settles() -> None:
    digest = Digest(Policy("chat", wait=0.0, interval=0.0))
    messages = []
    for i in range(100):
        at = 20.0 * i
        digest.take(_alert(at, over=i % 2 == 1))
        messages += digest.due(at)
    assert len(messages) <= 8
    assert "flapping" in messages[-1].text
    assert [m.action for m in digest.due(100 * 20.0 + 700.0)] == [Action.RESOLVE]


def test_a_storm_of_different_alerts_stays_bounded_and_says_how_many_more() -> None:
    digest = Digest(Policy("chat", wait=0.0, interval=60.0))
    digest.take(_alert(0.0))
    digest.due(0.0)
    for i in range(5000):
        digest.take(_alert(1.0, f"check-{i}"))
    (message,) = digest.due(61.0)
    assert len(digest.groups["alert/web"].alerts) <= MOST_ALERTS
    assert "further alerts" in message.text
    assert len(message.text.splitlines()) < 20


def test_labels_chosen_by_the_channel_tell_groups_apart() -> None:
    digest = Digest(Policy("chat", wait=0.0, labels=("region",)))
    for region in ("eu", "us"):
        labels = (("host", "h1"), ("region", region))
        digest.take(Event(0.0, "web", "disk", Severity.ERROR, labels=labels))
    assert {m.key for m in digest.due(0.0)} == {"alert/web/region=eu#1", "alert/web/region=us#1"}


def test_a_new_incident_of_the_same_group_has_a_new_key() -> None:
    digest = Digest(Policy("chat", wait=0.0))
    keys = []
    for start in (0.0, 5000.0):
        digest.take(_alert(start))
        keys += [m.key for m in digest.due(start)]
        digest.take(_alert(start + 10, over=True))
        digest.due(start + 10)
    assert keys == ["alert/web#1", "alert/web#2"]


def test_a_restored_digest_goes_on_where_the_other_ended() -> None:
    first = Digest(Policy("chat", wait=0.0))
    first.take(_alert(0.0))
    first.due(0.0)
    index, groups = json.loads(json.dumps(first.changes()))
    second = Digest(Policy("chat", wait=0.0))
    second.restore(index, groups.values())
    second.take(_alert(1.0))
    assert second.due(1.0) == []
    second.take(_alert(2.0, over=True))
    (message,) = second.due(2.0)
    assert (message.key, message.number) == ("alert/web#1", 2)


def test_a_policy_that_could_send_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match="chat"):
        Policy("chat", burst=0)
    with pytest.raises(RequestError, match="wait"):
        Policy("chat", wait=-1.0)


def _stormy(rng: random.Random, at: float) -> Event:
    kind = Kind.DEPLOY if rng.random() < 0.1 else Kind.ALERT
    status = Status.RESOLVED if rng.random() < 0.5 else Status.FIRING
    name, severity = f"a{rng.randrange(6)}", rng.choice(list(Severity))
    return Event(at, f"s{rng.randrange(3)}", name, severity, status, kind)


@pytest.mark.parametrize("seed", range(5))
def test_what_an_outbox_kept_of_a_storm_piece_by_piece_is_the_whole_digest(
    tmp_path: Path, seed: int
) -> None:
    rng, policy = random.Random(seed), Policy("chat", wait=0.0, interval=20.0, flap_window=60.0)
    digest, outbox = Digest(policy), Outbox(tmp_path / "notify.db")
    for second in range(300):
        digest.take(_stormy(rng, float(second)))
        messages = digest.due(float(second))
        if messages:
            outbox.save({"chat": digest.changes()}, messages)
    outbox.save({"chat": digest.changes()}, [])
    restored = Digest(policy)
    restored.restore(*outbox.load()[0]["chat"])
    outbox.close()
    assert restored.groups == digest.groups
    assert [list(one.alerts) for one in restored.groups.values()] == [
        list(one.alerts) for one in digest.groups.values()
    ]
    assert restored.serials == digest.serials
