"""Making untrusted text harmless: what no reader of any format should ever receive."""

from __future__ import annotations

import re

# Control characters (newline and tab aside), lone surrogates, and the characters that
# reorder or hide text: https://trojansource.codes
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_WORKFLOW_COMMAND = re.compile(r"^(\s*)::|##(?=\[|vso\[|teamcity\[)", re.MULTILINE)


def clean(text: str) -> str:
    """Return ``text`` with every control, reordering and undecodable character spelled out."""
    return _UNSAFE.sub(_spell, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Return ``clean`` text on a single line."""
    return " ".join(clean(text).split())


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of ``text``; what is missing is said."""
    if len(text) <= limit:
        return text
    notice = f"… ({len(text) - limit:,} characters more)"
    return text[: max(limit - len(notice), 0)] + notice


def defuse(output: str) -> str:
    """Return terminal output in which no line is a command to a CI system's log reader."""
    return _WORKFLOW_COMMAND.sub(lambda m: f"{m[1]}: :" if m[1] is not None else "# #", output)


def _spell(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - a byte that os.fsdecode could not decode
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004
