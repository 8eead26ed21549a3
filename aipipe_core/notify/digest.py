"""The digest: many events in, few messages out, by the policy of one channel.

Pure: the time is an argument, and the whole state goes to and from plain values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_core.notify.event import Event, Kind, Severity, Status
from aipipe_core.notify.group import MOST_ALERTS, Alert, Group
from aipipe_core.notify.message import Action, Message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aipipe_core.notify.policy import Policy

_MOST_HISTORIES = 5000


class Digest:
    """What one channel knows and has been told.

    :meth:`take` events as they come, ask :meth:`due` for the messages of this moment, and
    :meth:`next_due` when to ask again.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.groups: dict[str, Group] = {}
        self.serials: dict[str, int] = {}
        self.failed_deploys: dict[str, str] = {}
        """By service, the group of a failed deploy that mutes the service's alarms."""
        self.changed: set[str] = set()
        """Names of the groups that changed, or ended, since :meth:`changes` was asked."""
        self._restless: set[tuple[str, str]] = set()
        """Groups and fingerprints that changed more than once of late."""
        self._histories: dict[str, list[float]] = {}
        """When alerts changed that are over, so that one that flaps is known again."""

    def take(self, event: Event) -> None:
        """Take one event."""
        name = self._group_name(event)
        group = self.groups.get(name)
        if group is None:
            if event.status is Status.RESOLVED and event.kind is Kind.ALERT:
                return  # the end of something that nobody was told of
            serial = self.serials.get(name, 0) + 1
            self.serials[name] = serial
            group = self.groups[name] = Group(
                name, event.at, serial, deploy=event.kind is Kind.DEPLOY
            )
        self.changed.add(name)
        self._note_deploy(event, name)
        if event.status is Status.FIRING:
            group.peak = max(group.peak, int(event.severity))
        if self._update(group, event) and group.changed_at is None:
            group.changed_at = event.at

    def due(self, now: float) -> list[Message]:
        """Return what must be said now, and take it as said."""
        messages: list[Message] = []
        self._settle(now)
        for group in list(self.groups.values()):
            if group.changed_at is None or now < self._ready(group, now):
                continue
            messages += self._tell(group, now)
        messages.sort(key=lambda m: -m.severity)
        return messages

    def next_due(self, now: float) -> float | None:
        """Return the earliest time at which :meth:`due` may have something, None for never."""
        waiting = [g for g in self.groups.values() if g.changed_at is not None]
        moments = [max(now, self._ready(group, now)) for group in waiting]
        if self._restless:
            moments.append(now + self.policy.flap_window / 10.0)
        return min((at for at in moments if at < float("inf")), default=None)

    def changes(self) -> tuple[dict[str, Any], dict[str, dict[str, Any] | None]]:
        """Return what must be saved since the last time: the index, and groups by name.

        A group that ended is None; of the others' alerts only those that changed are there.
        """
        index = {"serials": self.serials, "histories": self._histories}
        ended: dict[str, dict[str, Any] | None] = dict.fromkeys(self.changed - self.groups.keys())
        held = {name: one.changes() for name, one in self.groups.items() if name in self.changed}
        self.changed = set()
        return index, ended | held

    def restore(self, index: dict[str, Any], groups: Iterable[dict[str, Any]]) -> None:
        """Take up where an earlier process ended."""
        self.serials = dict(index["serials"])
        self._histories = dict(index["histories"])
        for record in groups:
            group = Group.from_json(record)
            self.groups[group.name] = group
            self._restless |= {(group.name, k) for k, a in group.alerts.items() if a.changes[1:]}
            if group.deploy and any(a.severity >= Severity.ERROR for a in group.firing):
                self.failed_deploys[group.name.split("/", 2)[1]] = group.name

    def _group_name(self, event: Event) -> str:
        if event.kind is Kind.DEPLOY:
            return f"deploy/{event.service}/{event.name}"
        chosen = [f"{k}={v}" for k, v in sorted(event.labels) if k in self.policy.labels]
        return "/".join(["alert", event.service, *chosen])

    def _note_deploy(self, event: Event, name: str) -> None:
        if event.kind is not Kind.DEPLOY:
            return
        if event.status is Status.FIRING and event.severity >= Severity.ERROR:
            self.failed_deploys[event.service] = name
        elif self.failed_deploys.get(event.service) == name:
            del self.failed_deploys[event.service]
            # What the failed deploy muted and still holds is now to be told.
            for group in self.groups.values():
                if group.name.startswith(f"alert/{event.service}") and group.firing:
                    group.changed_at = group.changed_at or event.at

    def _update(self, group: Group, event: Event) -> bool:
        alert = group.alerts.get(event.fingerprint)
        if alert is not None:
            group.touched.add(event.fingerprint)
            changed = alert.take(event)
            if changed and len(alert.changes) > 1:
                self._restless.add((group.name, event.fingerprint))
            return changed or group.deploy  # each step of a deploy is news
        if event.status is Status.RESOLVED and not group.deploy:
            return False
        if len(group.alerts) >= MOST_ALERTS and event.severity <= group.told_severity:
            group.beyond += 1
            return False
        changes = [*self._histories.pop(event.fingerprint, []), event.at]
        if len(changes) > 1:
            self._restless.add((group.name, event.fingerprint))
        group.alerts[event.fingerprint] = Alert(
            event.headline,
            event.text,
            event.severity,
            event.status is Status.FIRING,
            event.at,
            changes=changes,
        )
        group.touched.add(event.fingerprint)
        return True

    def _settle(self, now: float) -> None:
        policy = self.policy
        for name, key in list(self._restless):
            group = self.groups.get(name)
            alert = group.alerts.get(key) if group else None
            if group is None or alert is None or group.deploy:
                self._restless.discard((name, key))
                continue
            before = len(alert.changes)
            turned = alert.settle(now, changes=policy.flap_changes, window=policy.flap_window)
            if turned and group.changed_at is None:
                group.changed_at = now
            if turned or len(alert.changes) != before:
                self.changed.add(name)
                group.touched.add(key)
            if not alert.changes:
                self._restless.discard((name, key))

    def _ready(self, group: Group, now: float) -> float:
        """When the change of this group may be told; infinity while it is muted."""
        severity = group.severity
        held = group.firing
        changed = group.changed_at if group.changed_at is not None else now
        if not group.number and severity < self.policy.least:
            return changed  # only to be dropped
        if not held and group.number:
            return changed  # the end is told at once
        if self._muted(group, severity):
            return float("inf")
        quiet = self.policy.quiet
        if quiet and quiet.holds(now, severity):
            return now + 60.0
        if severity >= Severity.PAGE and any(
            a.severity >= Severity.PAGE and a.told < a.severity for a in held
        ):
            return changed  # somebody must get up for this, and was not told of it yet
        if group.deploy:
            return max(changed, group.told_at + self.policy.deploy_interval)
        if not group.number:
            return group.opened + self.policy.wait
        return max(changed, group.told_at + self.policy.interval)

    def _muted(self, group: Group, severity: Severity) -> bool:
        if group.deploy:
            return False
        service = group.name.split("/", 2)[1]
        muting = self.groups.get(self.failed_deploys.get(service, ""))
        # A failure that went unheard, or was told of less loudly, mutes nothing.
        return muting is not None and muting.number > 0 and muting.told_severity >= severity

    def _tell(self, group: Group, now: float) -> list[Message]:
        held = group.firing
        severity = group.severity
        group.changed_at = None
        self.changed.add(group.name)
        messages = []
        if self._is_heard(group, severity) and self._is_news(group):
            if not held and not group.number and not group.deploy:
                # A page that was over before it could be told: told, and then resolved.
                messages.append(self._message(group, now, Severity(group.peak), Action.OPEN))
            messages.append(self._message(group, now, severity))
        if held:
            group.prune()
        else:
            self._forget(group, now)
        return messages

    def _is_heard(self, group: Group, severity: Severity) -> bool:
        if group.number:
            return True
        if group.firing or group.deploy:
            return severity >= self.policy.least
        return group.peak >= Severity.PAGE >= self.policy.least

    def _forget(self, group: Group, now: float) -> None:
        del self.groups[group.name]
        window = self.policy.flap_window
        for key, alert in group.alerts.items():
            if alert.changes and now - alert.changes[-1] < window and not group.deploy:
                self._histories[key] = alert.changes
        if len(self._histories) > _MOST_HISTORIES:
            recent = ((k, at) for k, at in self._histories.items() if now - at[-1] < window)
            self._histories = dict(list(recent)[-_MOST_HISTORIES // 2 :])

    def _is_news(self, group: Group) -> bool:
        """Whether it is worth an unchangeable message; all is where messages can be edited."""
        if self.policy.edits or not group.number or not group.firing or group.deploy:
            return True
        heard = [a for a in group.firing if a.severity >= self.policy.least]
        return any(a.told < a.severity or a.flapping > a.flap_told for a in heard)

    def _message(
        self, group: Group, now: float, severity: Severity, action: Action | None = None
    ) -> Message:
        held = group.firing
        if action is None:
            action = Action.UPDATE if group.number else Action.OPEN
            action = action if held else Action.RESOLVE
        group.mark_told(severity, now)
        loudest = held[0] if held else list(group.alerts.values())[-1]
        more = f" and {len(held) - 1} more" if len(held) > 1 else ""
        prefix = "Resolved: " if action is Action.RESOLVE and not group.deploy else ""
        key = f"{group.name}#{group.serial}"
        title = f"{prefix}{loudest.headline}{more}"
        return Message(
            self.policy.channel, key, group.number, action, severity, title, group.text(), now
        )
