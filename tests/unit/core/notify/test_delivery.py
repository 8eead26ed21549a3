"""Nothing lost, nothing out of order, whatever receivers and processes do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe_core.errors import SurroundingsError
from aipipe_core.notify import Action, Event, Message, Notifier, Outbox, Policy, Severity, Status
from aipipe_core.notify.deliver import Bucket, Delivery, Refused, Result, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Fake:
    """A receiver that answers as told and remembers what it took."""

    def __init__(self, *answers: Result) -> None:
        self.answers = list(answers)
        self.took: list[tuple[Message, str]] = []
        self.known: set[str] = set()

    def send(self, message: Message, handle: str) -> Result:
        answer = self.answers.pop(0) if self.answers else Sent(f"ts-{message.key}")
        if isinstance(answer, Sent):
            self.took.append((message, handle))
            self.known.add(message.id)
        return answer

    def arrived(self, message: Message) -> Sent | None:
        return Sent("found") if message.id in self.known else None


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "notify.db")
    yield box
    box.close()


def _message(
    key: str = "k",
    number: int = 1,
    action: Action = Action.OPEN,
    severity: Severity = Severity.ERROR,
) -> Message:
    return Message("chat", key, number, action, severity, f"{key} {number}", "", 0.0)


def _delivery(outbox: Outbox, fake: Fake, **policy: float) -> Delivery:
    return Delivery(outbox, {"chat": fake}, {"chat": Policy("chat", **policy)})  # type: ignore[arg-type]


def test_what_was_sent_is_not_sent_again_and_its_handle_is_used(outbox: Outbox) -> None:
    fake = Fake()
    delivery = _delivery(outbox, fake)
    outbox.queue(_message())
    assert delivery.run(0.0) == 1
    assert delivery.run(1.0) == 0
    outbox.queue(_message())
    assert delivery.run(2.0) == 0
    outbox.queue(_message(number=2, action=Action.UPDATE))
    delivery.run(3.0)
    assert [handle for _, handle in fake.took] == ["", "ts-k"]


def test_a_receiver_that_fails_is_tried_again_with_growing_pauses(outbox: Outbox) -> None:
    fake = Fake(Retry("down"), Retry("down"), Sent())
    delivery = _delivery(outbox, fake)
    outbox.queue(_message())
    arrived = [t for t in range(20) if delivery.run(float(t))]
    assert arrived == [6]


def test_a_limit_is_kept_for_as_long_as_the_receiver_says_and_for_all(outbox: Outbox) -> None:
    fake = Fake(Retry("limited", 30.0))
    delivery = _delivery(outbox, fake)
    outbox.queue(_message("a"))
    outbox.queue(_message("b"))
    assert [delivery.run(t) for t in (0.0, 29.0, 30.0)] == [0, 0, 2]


def test_messages_of_one_key_keep_their_order_and_others_overtake(outbox: Outbox) -> None:
    fake = Fake(Retry("down", 0.0))
    delivery = _delivery(outbox, fake)
    outbox.queue(_message("a"))
    delivery.run(0.0)
    outbox.queue(_message("a", 2, Action.RESOLVE))
    delivery.run(1.0)
    delivery.run(2.0)
    assert [m.number for m, _ in fake.took] == [1, 2]


def test_news_replaces_older_news_that_still_waits(outbox: Outbox) -> None:
    fake = Fake()
    delivery = _delivery(outbox, fake)
    for number in range(1, 6):
        outbox.queue(_message("a", number, Action.OPEN if number == 1 else Action.UPDATE))
    delivery.run(0.0)
    ((message, _),) = fake.took
    assert (message.number, message.action) == (5, Action.OPEN)


def test_a_refused_page_goes_to_the_fallback(outbox: Outbox) -> None:
    chat, mail = Fake(Refused("no such channel")), Fake()
    delivery = Delivery(outbox, {"chat": chat, "mail": mail}, {}, {"chat": "mail"})
    outbox.queue(_message(severity=Severity.PAGE))
    delivery.run(0.0)
    delivery.run(1.0)
    ((message, _),) = mail.took
    assert "refused this page" in message.text
    assert outbox.problems() == ["chat: no such channel (refused)"]


def test_limits_delay_what_can_wait_and_never_a_page(outbox: Outbox) -> None:
    fake = Fake()
    delivery = _delivery(outbox, fake, burst=2, refill=10.0)
    for i in range(5):
        outbox.queue(_message(f"k{i}"))
    outbox.queue(_message("page", severity=Severity.PAGE))
    assert delivery.run(0.0) == 2
    assert fake.took[0][0].key == "page"
    assert [delivery.run(t) for t in (5.0, 10.0, 20.0, 40.0)] == [0, 1, 1, 2]


def test_a_bucket_gains_nothing_from_a_clock_that_steps_back() -> None:
    bucket = Bucket(1, 10.0)
    assert [bucket.take(t) for t in (100.0, 50.0, 55.0, 60.0)] == [True, False, False, True]


@pytest.mark.parametrize("arrived", [True, False])
def test_after_a_crash_while_sending_it_is_sent_once(tmp_path: Path, arrived: bool) -> None:
    before = Outbox(tmp_path / "notify.db")
    message = _message()
    before.queue(message)
    (queued,) = before.waiting(0.0)
    before.sending(queued)
    before.close()
    after = Outbox(tmp_path / "notify.db")
    fake = Fake()
    if arrived:
        fake.known.add(message.id)
    delivery = _delivery(after, fake)
    delivery.recover(0.0)
    delivery.run(0.0)
    assert len(fake.took) == (0 if arrived else 1)
    assert after.counts() == {"sent": 1}
    after.close()


def test_an_event_that_was_accepted_survives_the_process(tmp_path: Path) -> None:
    policy = Policy("chat", wait=30.0)
    fake = Fake()
    first = Outbox(tmp_path / "notify.db")
    notifier = Notifier(first, {"chat": (policy, fake)}, now=0.0)
    notifier.accept([Event(0.0, "web", "disk", Severity.ERROR, labels=(("host", "a"),))])
    notifier.tick(1.0)
    first.close()
    second = Outbox(tmp_path / "notify.db")
    notifier = Notifier(second, {"chat": (policy, fake)}, now=20.0)
    assert notifier.next_due(20.0) == 30.0
    assert notifier.tick(30.0) == 1
    second.close()
    third = Outbox(tmp_path / "notify.db")
    notifier = Notifier(third, {"chat": (policy, fake)}, now=40.0)
    notifier.accept(
        [Event(50.0, "web", "disk", Severity.ERROR, Status.RESOLVED, labels=(("host", "a"),))]
    )
    notifier.tick(50.0)
    assert [m.action for m, _ in fake.took] == [Action.OPEN, Action.RESOLVE]
    third.close()


def test_a_store_that_cannot_be_opened_is_one_clear_failure(tmp_path: Path) -> None:
    with pytest.raises(SurroundingsError) as caught:
        Outbox(tmp_path / "missing" / "notify.db")
    assert caught.value.slug == "notify-store"
