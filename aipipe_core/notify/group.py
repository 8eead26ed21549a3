"""The group: alerts of one service, or one deploy, that a channel hears of as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aipipe_core.notify.event import Event, Severity, Status

MOST_LINES = 12
MOST_ALERTS = 500
_CHANGES = 40


@dataclass(slots=True)
class Alert:
    """The latest state of one fingerprint within a group."""

    headline: str
    text: str
    severity: Severity
    firing: bool
    since: float
    count: int = 1
    changes: list[float] = field(default_factory=list)
    flapping: bool = False
    flap_told: bool = False
    told: int = 0
    """The severity at which this alert was told as firing; 0 when it was not."""

    def take(self, event: Event) -> bool:
        """Take the newest event; return whether anything changed that people should know."""
        firing = event.status is Status.FIRING
        turned = firing != self.firing
        louder = firing and event.severity > self.severity
        self.count += 1
        self.headline, self.text = event.headline, event.text or self.text
        if firing:
            self.severity = event.severity if turned else max(self.severity, event.severity)
        if turned:
            self.firing = firing
            self.since = event.at
            self.changes = [*self.changes[-_CHANGES:], event.at]
        return turned or louder

    def as_json(self) -> dict[str, Any]:
        """Plain values for the store."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "severity": int(self.severity)
        }

    def settle(self, now: float, *, changes: int, window: float) -> bool:
        """Judge flapping at ``now``; return whether that changed."""
        self.changes = [at for at in self.changes if now - at < window]
        flapping = len(self.changes) >= (changes if not self.flapping else 1)
        turned = flapping != self.flapping
        self.flapping = flapping
        return turned


@dataclass(slots=True)
class Group:
    """Alerts told of together, and what was said of them so far."""

    name: str
    opened: float
    serial: int = 1
    deploy: bool = False
    alerts: dict[str, Alert] = field(default_factory=dict)
    number: int = 0
    """Messages sent of this incident; 0 while nothing was said."""
    told_at: float = 0.0
    told_severity: int = 0
    peak: int = 0
    """The loudest that ever held in this incident."""
    beyond: int = 0
    """Events of alerts beyond ``MOST_ALERTS``: counted, not kept."""
    changed_at: float | None = None
    """When something changed that was not told yet."""
    touched: set[str] = field(default_factory=set)
    """Fingerprints of the alerts that differ from what :meth:`changes` last returned."""
    kept: bool = False
    """Whether :meth:`changes` was asked before, or the group comes from a store."""

    @property
    def firing(self) -> list[Alert]:
        """Alerts that hold, the loudest and then the oldest first. A flapping one holds."""
        held = [a for a in self.alerts.values() if a.firing or a.flapping]
        return sorted(held, key=lambda a: (-a.severity, a.since))

    @property
    def severity(self) -> Severity:
        """The loudest of what holds, or of what was told when nothing holds any more."""
        held = [a.severity for a in self.alerts.values() if a.firing or a.flapping]
        return max(held) if held else Severity(self.told_severity or Severity.INFO)

    def prune(self) -> None:
        """Forget the oldest of what is over, so that no storm grows a group without end."""
        over = [k for k, a in self.alerts.items() if not a.firing and not a.flapping]
        for key in over[: max(0, len(self.alerts) - MOST_ALERTS)]:
            del self.alerts[key]
            self.touched.add(key)

    def mark_told(self, severity: Severity, now: float) -> None:
        """Count one more message, and note of each alert how it was told in it."""
        self.number += 1
        self.told_at = now
        self.told_severity = int(severity)
        for key, alert in self.alerts.items():
            told = int(alert.severity) if alert.firing or alert.flapping else 0
            if alert.told != told or alert.flap_told != alert.flapping:
                alert.told, alert.flap_told = told, alert.flapping
                self.touched.add(key)

    def text(self) -> str:
        """Return the lines for people: what holds, most important first."""
        held = self.firing
        lines = [_line(alert) for alert in held[:MOST_LINES]]
        if len(held) > MOST_LINES:
            lines.append(f"and {len(held) - MOST_LINES} more")
        if self.beyond:
            lines.append(f"and {self.beyond} events of further alerts")
        if not held:
            last = list(self.alerts.values())[-MOST_LINES:]
            # How a deploy ended is what its last event says.
            lines = [a.text if self.deploy and a.text else f"over: {a.headline}" for a in last]
        return "\n".join(lines)

    def changes(self) -> dict[str, Any]:
        """Return the group as plain values, of its alerts those that changed since the last call.

        One that was forgotten is None; ``kept`` is false where these are all there are. A storm
        changes few alerts of a large group at a time, and each of its messages is preceded by a
        save.
        """
        touched, self.touched = self.touched, set()
        head = {s: getattr(self, s) for s in self.__slots__ if s not in ("alerts", "touched")}
        self.kept = True
        known = self.alerts
        # In the order in which they came: what is told of a group depends on it.
        order = [key for key in known if key in touched] if len(touched) > 1 else touched
        gone = {key: None for key in touched if key not in known}
        return head | {"alerts": gone | {k: known[k].as_json() for k in order if k in known}}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Group:
        """Make a group of its values and all of its alerts."""
        alerts = {
            key: Alert(**value | {"severity": Severity(value["severity"])})
            for key, value in record["alerts"].items()
        }
        return cls(**record | {"alerts": alerts, "kept": True})


def _line(alert: Alert) -> str:
    times = f" (x{alert.count})" if alert.count > 1 else ""
    flaps = " - flapping" if alert.flapping else ""
    detail = f": {alert.text}" if alert.text else ""
    return f"[{alert.severity.name.lower()}] {alert.headline}{detail}{times}{flaps}"
