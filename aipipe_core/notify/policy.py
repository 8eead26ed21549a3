"""A channel's policy: what it hears of, when, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, tzinfo

from aipipe_core.errors import RequestError
from aipipe_core.notify.event import Severity


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of the day in which only ``unless`` and worse is told at once.

    ``start`` may be later than ``end``: the night. Equal ones are never quiet.
    """

    start: time
    end: time
    zone: tzinfo = UTC
    unless: Severity = Severity.PAGE

    def holds(self, now: float, severity: Severity) -> bool:
        """Whether an event of this severity must wait at this moment."""
        if severity >= self.unless or self.start == self.end:
            return False
        clock = datetime.fromtimestamp(now, self.zone).time()
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


@dataclass(frozen=True, slots=True)
class Policy:
    """How one channel is spoken to; times in seconds.

    Raises :class:`RequestError` (``notify-policy``) for negative times or no burst.
    """

    channel: str
    least: Severity = Severity.WARNING
    wait: float = 30.0
    """A new group waits so long for more of its kind; a page never waits."""
    interval: float = 300.0
    """A group that was told of is told of again at most so often; an end is told at once."""
    deploy_interval: float = 2.0
    edits: bool = False
    """Messages can be changed after they were sent, so news of a deploy disturbs nobody."""
    quiet: QuietHours | None = None
    burst: int = 10
    """So many messages at once, then one every ``refill`` seconds; pages are not limited."""
    refill: float = 6.0
    flap_changes: int = 6
    """A thing that changed so often within ``flap_window`` flaps: it is told once as such."""
    flap_window: float = 600.0
    labels: tuple[str, ...] = field(default=())
    """Labels by whose values alerts of one service are told apart into groups."""

    def __post_init__(self) -> None:
        for name in ("wait", "interval", "deploy_interval", "refill", "flap_window"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise RequestError(
                    "notify-policy",
                    f"{name} of channel {self.channel} is {getattr(self, name)}",
                    hint="It is a time in seconds, zero or more.",
                )
        if self.burst < 1 or self.flap_changes < 2:  # noqa: PLR2004 - one change is no flapping
            raise RequestError(
                "notify-policy",
                f"channel {self.channel} may send nothing",
                hint="burst is at least 1, flap_changes at least 2.",
            )
