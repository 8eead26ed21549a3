"""Delivery: from the outbox to the receivers, with patience, order and limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from aipipe_core.notify.event import Severity
from aipipe_core.notify.message import Action, Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_core.notify.outbox import Outbox, Queued
    from aipipe_core.notify.policy import Policy

_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Sent:
    """It arrived; ``handle`` is the receiver's name for it, to change it later."""

    handle: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now: the receiver or the way to it fails or limits; ``after`` seconds if it said so."""

    why: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: the receiver understood and declined."""

    why: str


Result = Sent | Retry | Refused


class Sender(Protocol):
    """One way to say something. It never raises for what a network or a receiver does."""

    def send(self, message: Message, handle: str) -> Result:
        """Say it; ``handle`` is what an earlier message of the same key was given."""

    def arrived(self, message: Message) -> Sent | None:
        """After a crash: whether it had arrived. None: no, or nobody can tell and it must go."""


class Bucket:
    """So many at once, then one every ``refill`` seconds."""

    def __init__(self, burst: int, refill: float) -> None:
        self._burst = float(burst)
        self._refill = refill
        self._tokens = float(burst)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Take one if there is one."""
        if self._at is not None and now > self._at:
            gained = (now - self._at) / self._refill if self._refill else self._burst
            self._tokens = min(self._burst, self._tokens + gained)
        self._at = now  # a clock that steps back gains nothing and loses nothing
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Delivery:
    """Sends what waits. ``fallbacks`` names, by channel, where a refused page goes instead."""

    def __init__(
        self,
        outbox: Outbox,
        senders: Mapping[str, Sender],
        policies: Mapping[str, Policy],
        fallbacks: Mapping[str, str] | None = None,
    ) -> None:
        self._outbox = outbox
        self._senders = senders
        self._fallbacks = fallbacks or {}
        self._buckets = {c: Bucket(p.burst, p.refill) for c, p in policies.items()}
        self._closed_until: dict[str, float] = {}

    def recover(self, now: float) -> None:
        """Once at the start: settle what an earlier process was sending when it died."""
        for queued in self._outbox.uncertain():
            sender = self._senders.get(queued.message.channel)
            found = sender.arrived(queued.message) if sender else None
            if found is not None:
                self._outbox.sent(queued, found.handle)
            else:
                self._outbox.retry(queued, now, "the process died while sending")

    def run(self, now: float) -> int:
        """Send what may be sent at ``now``; return how many arrived."""
        arrived = 0
        for queued in self._outbox.waiting(now):
            message = queued.message
            page = message.severity >= Severity.PAGE
            if now < self._closed_until.get(message.channel, 0.0):
                continue
            bucket = self._buckets.get(message.channel)
            if bucket and not bucket.take(now) and not page:
                continue
            arrived += self._send(queued, now)
        return arrived

    def _send(self, queued: Queued, now: float) -> bool:
        message = queued.message
        sender = self._senders.get(message.channel)
        if sender is None:
            self._give_up(queued, f"there is no sender for channel {message.channel}")
            return False
        self._outbox.sending(queued)
        result = sender.send(message, queued.handle)
        if isinstance(result, Sent):
            self._outbox.sent(queued, result.handle)
            return True
        if isinstance(result, Retry):
            pause = min(_FIRST_PAUSE * 2.0 ** min(queued.attempts, 20), _LONGEST_PAUSE)
            if result.after is not None:
                pause = max(0.0, result.after)
            # One that hangs must not hold up the others for each message that waits for it.
            self._closed_until[message.channel] = now + min(pause, _LONGEST_PAUSE)
            self._outbox.retry(queued, now + pause, result.why)
        else:
            self._give_up(queued, result.why)
        return False

    def _give_up(self, queued: Queued, why: str) -> None:
        message = queued.message
        self._outbox.refused(queued, why)
        other = self._fallbacks.get(message.channel)
        if other and other != message.channel and message.severity >= Severity.PAGE:
            note = f"{message.text}\n(channel {message.channel} refused this page: {why})"
            action = message.action if message.action is Action.RESOLVE else Action.OPEN
            key = f"{message.channel}>{message.key}"
            self._outbox.queue(replace(message, channel=other, key=key, action=action, text=note))
