"""One assertion on a value, and what text may stand in one."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNSTABLE = re.compile(
    r"0x[0-9a-fA-F]{6,}|<_io\.\w+ name=\d+|/tmp/|/var/folders|pytest-of-|\bpid[= ]"
    r"|test_aipipe_candidate|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
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

    And of the number of an open file, and of the name that the file has only while its test is
    tried.
    """
    return not _UNSTABLE.search(text)


def stable_ends(text: str) -> tuple[str, str]:
    """Return what stands before the first unstable part of a text, and behind the last.

    Both are the text itself where no part of it is unstable. Of a path the folders around go
    with it, for how deep they are is no more stable.
    """
    found = [match.span() for match in _UNSTABLE.finditer(text)]
    if not found:
        return text, text
    rest = re.match(r"[^\s,;)>]*", text[found[-1][1] :])
    return text[: found[0][0]], text[found[-1][1] + (rest.end() if rest else 0) :]
