"""What counts as space in a Dockerfile.

BuildKit is written in Go, whose idea of white space differs from Python's in a few
characters; these helpers follow Go.
"""

from __future__ import annotations

import re

# Go's unicode.IsSpace; Python's str.isspace also accepts U+001C to U+001F.
SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

# The parser's own separator: it has neither the newline nor the Unicode spaces.
_SEPARATOR = re.compile(r"[\t\v\f\r ]+")


def is_space(char: str) -> bool:
    """Tell whether Go calls ``char`` a space."""
    return char in SPACES


def trim(text: str) -> str:
    """Strip what Go's ``strings.TrimSpace`` strips."""
    return text.strip(SPACES)


def split_fields(text: str, limit: int = 0) -> list[str]:
    """Split at runs of the parser's separators, into at most ``limit`` parts (0: all)."""
    return _SEPARATOR.split(text, maxsplit=max(limit - 1, 0))
