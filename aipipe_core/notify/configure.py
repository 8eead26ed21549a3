"""Channels from the configuration's table ``notify``: who is told, by what way, how often.

A secret never stands in the file: a channel names the environment variable that holds it.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields
from datetime import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aipipe_core.config import room_table
from aipipe_core.config.kinds import Number, Text, Texts, ValueKind, Wrong
from aipipe_core.errors import RequestError
from aipipe_core.notify.event import Severity
from aipipe_core.notify.policy import Policy, QuietHours

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe_core.notify.deliver import Sender

KINDS = ("slack-webhook", "slack", "pagerduty", "github", "mail", "apprise")
SEVERITIES = tuple(severity.name.lower() for severity in Severity)
_EDITS = frozenset({"slack", "github"})


def _key(kind: ValueKind, default: Any) -> Any:
    return field(default=default, metadata={"kind": kind})


@dataclass(frozen=True)
class ChannelTable:
    """One table ``[notify.channels.NAME]``, checked.

    ``secret`` names an environment variable. ``to`` is Slack's channel, GitHub's
    ``owner/name#number`` or e-mail addresses. ``quiet`` is ``22:00-07:00``.
    """

    kind: str = _key(Text(KINDS), "")
    secret: str = _key(Text(what="an environment variable's name"), "")
    to: tuple[str, ...] = _key(Texts(), ())
    sender: str = _key(Text(what="an e-mail address"), "")
    host: str = _key(Text(what="a mail server's name"), "")
    port: int = _key(Number(1, 65_535, whole=True), 587)
    user: str = _key(Text(), "")
    url: str = _key(Text(what="a URL"), "")
    least: str = _key(Text(SEVERITIES), "warning")
    wait: float = _key(Number(0, 86_400), 30.0)
    interval: float = _key(Number(0, 604_800), 300.0)
    quiet: str = _key(Text(what="hours such as 22:00-07:00"), "")
    zone: str = _key(Text(what="a time zone such as Europe/Paris"), "UTC")
    burst: int = _key(Number(1, 10_000, whole=True), 10)
    refill: float = _key(Number(0, 86_400), 6.0)
    labels: tuple[str, ...] = _key(Texts(), ())
    fallback: str = _key(Text(what="another channel's name"), "")


@dataclass(frozen=True)
class Channels:
    """Policy and sender by channel, and who takes a page that a channel refused."""

    channels: Mapping[str, tuple[Policy, Sender]]
    fallbacks: Mapping[str, str]


def load_channels(root: Path, environ: Mapping[str, str]) -> Channels:
    """Return the channels that the project at ``root`` configures; none is no error.

    Raises ``RequestError``: ``unknown-setting``, ``wrong-setting``, ``notify-secret`` (its
    variable is not set), ``notify-url``, and those of the configuration's reader.
    """
    where, table = room_table(root, "notify")
    unknown = set(table) - {"channels"}
    if unknown:
        raise _unknown(where, f"notify.{min(unknown)}", min(unknown), ["channels"])
    found = table.get("channels", {})
    if not isinstance(found, dict):
        raise _wrong(where, "notify.channels", "must be a table")
    tables = {name: _read(value, where, f"notify.channels.{name}") for name, value in found.items()}
    for name, one in tables.items():
        if one.fallback and one.fallback not in tables:
            raise _wrong(where, f"notify.channels.{name}.fallback", "must name another channel")
    return Channels(
        {
            name: (_policy(name, one, where), _sender(name, one, where, environ))
            for name, one in tables.items()
        },
        {name: one.fallback for name, one in tables.items() if one.fallback},
    )


def _read(value: object, where: str, prefix: str) -> ChannelTable:
    if not isinstance(value, dict):
        raise _wrong(where, prefix, "must be a table")
    kinds = {one.name: one.metadata["kind"] for one in fields(ChannelTable)}
    values: dict[str, Any] = {}
    for name, raw in value.items():
        if name not in kinds:
            raise _unknown(where, f"{prefix}.{name}", name, list(kinds))
        try:
            values[name] = kinds[name].read(raw)
        except Wrong as error:
            raise _wrong(where, f"{prefix}.{name}", str(error)) from error
    if not values.get("kind"):
        raise _wrong(where, f"{prefix}.kind", f"must be one of {', '.join(KINDS)}")
    return ChannelTable(**values)


def _policy(name: str, one: ChannelTable, where: str) -> Policy:
    return Policy(
        channel=name,
        least=Severity[one.least.upper()],
        wait=one.wait,
        interval=one.interval,
        edits=one.kind in _EDITS,
        quiet=_quiet(name, one, where),
        burst=one.burst,
        refill=one.refill,
        labels=one.labels,
    )


def _quiet(name: str, one: ChannelTable, where: str) -> QuietHours | None:
    if not one.quiet:
        return None
    try:
        start, end = (time.fromisoformat(part.strip()) for part in one.quiet.split("-"))
    except ValueError:
        text = "must be two times of day, such as 22:00-07:00"
        raise _wrong(where, f"notify.channels.{name}.quiet", text) from None
    try:
        zone = ZoneInfo(one.zone)
    except (ValueError, OSError, LookupError):
        text = f"{one.zone!r} is no time zone that this machine knows"
        raise _wrong(where, f"notify.channels.{name}.zone", text) from None
    return QuietHours(start, end, zone)


def _sender(name: str, one: ChannelTable, where: str, environ: Mapping[str, str]) -> Sender:
    prefix = f"notify.channels.{name}"
    if one.kind == "mail":
        return _mail(prefix, one, where, environ)
    secret = _secret(prefix, one, where, environ)
    more: dict[str, Any] = {"url": one.url} if one.url else {}
    if one.kind == "slack-webhook":
        from aipipe_core.notify.senders.slack import SlackWebhook

        return SlackWebhook(secret)
    if one.kind == "pagerduty":
        from aipipe_core.notify.senders.pagerduty import PagerDuty

        return PagerDuty(secret, **more)
    if one.kind == "apprise":
        from aipipe_core.notify.senders.apprise import Apprise

        return Apprise(secret)
    if len(one.to) != 1:
        raise _wrong(where, f"{prefix}.to", "must name one place")
    if one.kind == "slack":
        from aipipe_core.notify.senders.slack import SlackApi

        return SlackApi(secret, one.to[0], **more)
    from aipipe_core.notify.senders.github import GitHubComment

    repository, _, number = one.to[0].partition("#")
    if not repository.count("/") == 1 or not number.isdecimal():
        raise _wrong(where, f"{prefix}.to", "must be owner/name#number")
    return GitHubComment(secret, repository, int(number), **more)


def _mail(prefix: str, one: ChannelTable, where: str, environ: Mapping[str, str]) -> Sender:
    from aipipe_core.notify.senders.mail import Mail, Relay

    for key in ("host", "sender", "to"):
        if not getattr(one, key):
            raise _wrong(where, f"{prefix}.{key}", "must be given for mail")
    password = _secret(prefix, one, where, environ) if one.user else ""
    relay = Relay(one.host, one.port, one.user, password, starttls=bool(one.user))
    return Mail(relay, sender=one.sender, to=one.to)


def _secret(prefix: str, one: ChannelTable, where: str, environ: Mapping[str, str]) -> str:
    if not one.secret:
        raise _wrong(where, f"{prefix}.secret", "must name the environment variable that holds it")
    secret = environ.get(one.secret, "")
    if not secret:
        raise RequestError(
            "notify-secret",
            f"The environment variable {one.secret} is not set",
            where=f"{where}, {prefix}.secret",
            hint="Set it where this runs; the file only names it.",
        )
    return secret


def _wrong(where: str, name: str, text: str) -> RequestError:
    return RequestError("wrong-setting", f"{name} {text}", where=where, hint="Mend it there.")


def _unknown(where: str, name: str, key: str, known: list[str]) -> RequestError:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
    return RequestError(
        "unknown-setting", f"Nobody knows the setting {name}", where=where, hint=hint
    )
