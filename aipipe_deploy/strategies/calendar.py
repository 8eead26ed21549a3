"""The calendar: freezes, and weekly spans in which nobody would be there to look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from aipipe_deploy.config.model import Calendar

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOMENT = re.compile(r"(mon|tue|wed|thu|fri|sat|sun) ([01]?\d|2[0-3]):([0-5]\d)")
_WEEK = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Moment:
    """What the calendar says of a moment: empty reasons mean an ordinary hour."""

    frozen: str = ""
    quiet: str = ""


def check_calendar(calendar: Calendar) -> None:
    """Raise ``ValueError`` where the calendar cannot be read."""
    moment_at(calendar, datetime(2024, 1, 1, tzinfo=UTC))


def moment_at(calendar: Calendar, now: datetime) -> Moment:
    """Return what the calendar says of ``now``, which must know its time zone."""
    zone = _zone(calendar)
    local = now.astimezone(zone)
    frozen = ""
    for span in calendar.freeze:
        start, end = _date(span.start, zone), _date(span.end, zone)
        if end <= start:
            raise ValueError(f"has a freeze that ends before it starts ({span.start})")
        if start <= local < end:
            frozen = span.reason or f"frozen from {span.start} to {span.end}"
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    quiet = next((text for text in calendar.quiet if _within(text, minute)), "")
    return Moment(frozen, quiet)


def _zone(calendar: Calendar) -> tzinfo | None:
    if not calendar.timezone:
        return None  # datetime's own word for the machine's zone
    try:
        return ZoneInfo(calendar.timezone)
    except (LookupError, OSError, ValueError) as error:
        raise ValueError(f"names no time zone: {calendar.timezone!r}") from error


def _date(text: str, zone: tzinfo | None) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"has no date in {text!r}; write 2026-12-20 or 2026-12-20T18:00"
        ) from error
    if found.tzinfo:
        return found
    return found.replace(tzinfo=zone) if zone else found.astimezone()


def _within(text: str, minute: int) -> bool:
    first, _, last = text.partition("-")
    start, end = _minute(first, text), _minute(last, text)
    return (minute - start) % _WEEK < (end - start) % _WEEK


def _minute(text: str, whole: str) -> int:
    found = _MOMENT.fullmatch(text.strip().lower())
    if not found:
        raise ValueError(f"has a span {whole!r}; write it as `fri 16:00-mon 08:00`")
    return _DAYS.index(found[1]) * 1440 + int(found[2]) * 60 + int(found[3])
