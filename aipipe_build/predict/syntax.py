"""Which frontends are understood."""

from __future__ import annotations

import re

_KNOWN = re.compile(
    r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?"
    r"(?::(?P<tag>[\w.-]+))?(?:@sha256:[0-9a-f]{64})?"
)
_TAG = re.compile(r"(?:1(?:\.\d+){0,2}|latest|stable|master)?(?:-labs)?|labs|experimental")


def doubt_of_syntax(syntax: str) -> str:
    """Return why the keys of this frontend cannot be known, "" when they can."""
    if not syntax:
        return ""
    found = _KNOWN.fullmatch(syntax)
    if found and _TAG.fullmatch(found["tag"] or ""):
        return ""
    return f"the frontend {syntax} is unknown here, and it decides what the steps are"
