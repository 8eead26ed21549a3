"""The notifier: events are kept, digested for each channel, and delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_core.notify.deliver import Delivery, Sender
from aipipe_core.notify.digest import Digest
from aipipe_core.notify.event import Event, Kind, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aipipe_core.notify.outbox import Outbox
    from aipipe_core.notify.policy import Policy

_SAVE_EVERY = 1000


class Notifier:
    """All of it behind three calls: :meth:`accept`, :meth:`tick`, :meth:`next_due`.

    What :meth:`accept` returned from is never lost. Clocks are arguments, in seconds since
    the epoch.
    """

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[str, tuple[Policy, Sender]],
        *,
        now: float,
        fallbacks: Mapping[str, str] | None = None,
    ) -> None:
        self._outbox = outbox
        self._digests = {name: Digest(policy) for name, (policy, _) in channels.items()}
        self._delivery = Delivery(
            outbox,
            {name: sender for name, (_, sender) in channels.items()},
            {name: policy for name, (policy, _) in channels.items()},
            fallbacks,
        )
        self._unsaved = 0
        self._restore()
        self._delivery.recover(now)

    def accept(self, events: Iterable[Event]) -> None:
        """Keep and digest events; nothing is sent before the next :meth:`tick`."""
        batch = list(events)
        self._outbox.record([_as_json(event) for event in batch])
        self._digest(batch)

    def tick(self, now: float) -> int:
        """Say what is due and deliver what waits; return how many messages arrived."""
        messages = [m for digest in self._digests.values() for m in digest.due(now)]
        if messages or self._unsaved >= _SAVE_EVERY:
            changes = {name: digest.changes() for name, digest in self._digests.items()}
            self._outbox.save(changes, messages)
            self._unsaved = 0
        return self._delivery.run(now)

    def waits(self) -> bool:
        """Whether a message is decided on and has not arrived yet."""
        return bool(self._outbox.counts().get("queued"))

    def next_due(self, now: float) -> float | None:
        """When the next message is due, None for never; what waits for a retry not counted."""
        moments = [digest.next_due(now) for digest in self._digests.values()]
        return min((at for at in moments if at is not None), default=None)

    def _digest(self, events: Iterable[Event]) -> None:
        for event in events:
            self._unsaved += 1
            for digest in self._digests.values():
                digest.take(event)

    def _restore(self) -> None:
        states, events = self._outbox.load()
        for name, (index, groups) in states.items():
            if name in self._digests:
                self._digests[name].restore(index, groups)
        self._digest(_from_json(record) for record in events)


def _as_json(event: Event) -> dict[str, Any]:
    record = {name: getattr(event, name) for name in Event.__slots__}
    return record | {
        "severity": int(event.severity),
        "status": event.status.value,
        "kind": event.kind.value,
    }


def _from_json(record: dict[str, Any]) -> Event:
    return Event(
        **record
        | {
            "severity": Severity(record["severity"]),
            "status": Status(record["status"]),
            "kind": Kind(record["kind"]),
            "labels": tuple((key, value) for key, value in record["labels"]),
        }
    )
