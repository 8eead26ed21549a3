"""Notifications: events in, few messages out, none lost."""

from __future__ import annotations

from aipipe_core.notify.event import Event, Kind, Severity, Status
from aipipe_core.notify.message import Action, Message
from aipipe_core.notify.notifier import Notifier
from aipipe_core.notify.outbox import Outbox
from aipipe_core.notify.policy import Policy, QuietHours

__all__ = [
    "Action",
    "Event",
    "Kind",
    "Message",
    "Notifier",
    "Outbox",
    "Policy",
    "QuietHours",
    "Severity",
    "Status",
]
