"""One assertion on a value, and what text may stand in one."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNSTABLE = re.compile(
    r"0x[0-9a-fA-F]{6,}|/tmp/|/var/folders|pytest-of-|\bpid[= ]|test_aipipe_candidate"
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
)


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

    And of the name that the file has only while its test is tried.
    """
    return not _UNSTABLE.search(text)
