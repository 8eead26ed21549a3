"""Wildcards of COPY and ADD: Go's ``filepath.Match``, where ``*`` stops at a slash."""

from __future__ import annotations

import functools
import re


def has_wildcard(text: str) -> bool:
    """Tell whether ``text`` holds an unescaped ``*``, ``?`` or ``[``."""
    at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] in "*?[":
            return True
        at += 1
    return False


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            text, at = _character_class(pattern, at)
            out.append(text)
        elif char == "\\" and at < len(pattern):
            out.append(re.escape(pattern[at]))
            at += 1
        else:
            out.append(re.escape(char))
    return re.compile("".join(out), re.DOTALL)


def _character_class(pattern: str, at: int) -> tuple[str, int]:
    """Translate the class that began before ``at``; Go allows ``^`` and escapes in it."""
    negated = pattern[at : at + 1] == "^"
    at += negated
    items: list[str] = []
    while at < len(pattern) and (pattern[at] != "]" or not items):
        char = pattern[at]
        if char == "\\" and at + 1 < len(pattern):
            at += 1
            items.append(re.escape(pattern[at]))
        elif char == "-":
            items.append("-")
        else:
            items.append(re.escape(char))
        at += 1
    return f"(?!/)[{'^' if negated else ''}{''.join(items)}]", at + 1


def glob_match(pattern: str, path: str) -> bool:
    """Tell whether the whole of ``path`` matches."""
    try:
        return _compiled(pattern).fullmatch(path) is not None
    except re.error:
        return False


def split_wildcard(path: str) -> tuple[str, str]:
    """Split an absolute path at the first part that holds a wildcard."""
    parts = path.strip("/").split("/")
    for index, part in enumerate(parts):
        if has_wildcard(part):
            return "/" + "/".join(parts[:index]), "/".join(parts[index:])
    return path, ""
