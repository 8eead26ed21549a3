"""One assertion on a value, and what text may stand in one."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNSTABLE = re.compile(
    r"0x[0-9a-fA-F]{6,}|<_io\.\w+ name=\d+|/tmp/|/var/folders|pytest-of-|\bpid[= ]"
    r"|test_aipipe_candidate|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_NAMED = "|".join(_MONTHS)
_DATES = (
    re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)"),
    re.compile(r"\bdate(?:time)?\((?P<year>\d{4}), (?P<month>\d\d?), (?P<day>\d\d?)\b"),
    re.compile(rf"\b(?P<day>\d\d?)[ -](?P<month>{_NAMED})[a-z]*[ -](?P<year>\d{{4}})\b"),
    re.compile(rf"\b(?P<month>{_NAMED})[a-z]* (?P<day>\d\d?),? (?P<year>\d{{4}})\b"),
)
_EPOCH = re.compile(r"(?<![\d.xa-fA-F])(\d{10})(?:\d{3})?(?![\da-fA-F])")  # and in thousandths
_TODAY = dt.datetime.now(dt.UTC).date()  # before any test can stop the clock
_LATELY, _SOON = dt.timedelta(days=40), dt.timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Fact:
    """One assertion: its statement, imports, and strength.

    3 is the value, 2 a part of it, 1 its kind. 0 is what is worth saying only where a fault
    is noticed by it: a file's text, what a method answers, an attribute with an underscore.
    """

    code: str
    imports: tuple[str, ...] = ()
    strength: int = 3


def is_stable_text(text: str) -> bool:
    """Return whether a text is free of addresses, temporary paths, process ids and times.

    And of the number of an open file, of the name that the file has only while its test is
    tried, and of dates so near to today that they are likely to be worked out from it: such a
    text is another one tomorrow.
    """
    return next(_unstable(text), None) is None


def _unstable(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the unstable parts of a text begin and end."""
    for match in _UNSTABLE.finditer(text):
        yield match.span()
    for match in chain.from_iterable(one.finditer(text) for one in _DATES):
        month = match["month"]
        number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
        try:
            day = dt.date(int(match["year"]), number, int(match["day"]))
        except ValueError:
            continue
        if _is_near(day):
            yield match.span()
    for match in _EPOCH.finditer(text):
        if _is_near(dt.datetime.fromtimestamp(int(match[1]), dt.UTC).date()):
            yield match.span()


def _is_near(day: dt.date) -> bool:
    return -_LATELY <= day - _TODAY <= _SOON


def stable_ends(text: str) -> tuple[str, str]:
    """Return what stands before the first unstable part of a text, and behind the last.

    Both are the text itself where no part of it is unstable. Of a path the folders around go
    with it, for how deep they are is no more stable.
    """
    found = sorted(_unstable(text))
    if not found:
        return text, text
    end = max(last for _, last in found)
    rest = re.match(r"[^\s,;)>]*", text[end:])
    return text[: found[0][0]], text[end + (rest.end() if rest else 0) :]
