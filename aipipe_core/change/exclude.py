"""Globs over repository paths: ``*`` stays within a folder, ``**`` crosses them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_excluded(path: str, globs: Iterable[str]) -> bool:
    """Whether one of ``globs`` names ``path`` or a folder that holds it.

    As in ``.gitignore``, a glob without a slash speaks of any folder's files, and one that
    ends with a slash of everything in the folder.
    """
    return any(_compiled(glob).fullmatch(path) for glob in globs)


@lru_cache(maxsize=256)
def _compiled(glob: str) -> re.Pattern[str]:
    pattern = glob.strip().removeprefix("./").rstrip("/")
    anchored = "/" in pattern
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.lstrip("/"))
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(wild.get(part, re.escape(part)) for part in parts)
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{body}(?:/.*)?", re.DOTALL)
