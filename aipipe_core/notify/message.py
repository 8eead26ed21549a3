"""The message: what one channel is told of one group, first, again, or for the last time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from aipipe_core.notify.event import Severity


class Action(StrEnum):
    """What a message does to what was said before under the same key."""

    OPEN = "open"
    UPDATE = "update"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Message:
    """``key`` names the incident or deploy for ever; ``number`` counts what was said of it."""

    channel: str
    key: str
    number: int
    action: Action
    severity: Severity
    title: str
    text: str
    at: float

    @property
    def id(self) -> str:
        """A name for this very message, the same after a restart."""
        return f"{self.channel}/{self.key}/{self.number}"

    def as_json(self) -> dict[str, Any]:
        """Plain values for the outbox."""
        return asdict(self) | {"severity": int(self.severity), "action": self.action.value}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Message:
        """Undo :meth:`as_json`."""
        return cls(
            **record
            | {"severity": Severity(record["severity"]), "action": Action(record["action"])}
        )
