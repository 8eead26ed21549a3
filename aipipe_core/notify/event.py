"""The event: what happened, to which service, how bad, and whether it is over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How loud an event is; ``PAGE`` wakes people."""

    INFO = 10
    WARNING = 20
    ERROR = 30
    PAGE = 40


class Status(StrEnum):
    """Whether what the event tells of still holds."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Kind(StrEnum):
    """What the event is about."""

    ALERT = "alert"
    DEPLOY = "deploy"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened at ``at`` (seconds since the epoch).

    ``name`` and ``labels`` say what it is; two events of the same service, name and labels
    are the same thing again. A deploy's events share its id as ``name``.
    """

    at: float
    service: str
    name: str
    severity: Severity
    status: Status = Status.FIRING
    kind: Kind = Kind.ALERT
    title: str = ""
    text: str = ""
    labels: tuple[tuple[str, str], ...] = field(default=())

    @property
    def fingerprint(self) -> str:
        """Tell the same thing by: not its time, text, severity or status."""
        parts = [self.kind.value, self.service, self.name]
        parts += [f"{key}={value}" for key, value in sorted(self.labels)]
        return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:24]

    @property
    def headline(self) -> str:
        """One line for people."""
        return self.title or f"{self.service}: {self.name}"
