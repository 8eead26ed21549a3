"""Debian version numbers in their order (deb-version(7)): ``[epoch:]upstream[-revision]``."""

from __future__ import annotations

import re
from functools import total_ordering

_FORM = re.compile(r"(?:(\d+):)?([A-Za-z0-9][A-Za-z0-9.+~-]*?)(?:-([A-Za-z0-9.+~]+))?")
_PARTS = re.compile(r"(\D*)(\d*)")


@total_ordering
class DebianVersion:
    """One version. Raises ``ValueError`` for what dpkg would not take."""

    def __init__(self, text: str) -> None:
        found = _FORM.fullmatch(text)
        if not found or not text.isascii():
            raise ValueError(f"{text!r} is no Debian version")
        self.text = text
        self._key = (int(found[1] or 0), _parts(found[2]), _parts(found[3] or "0"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DebianVersion) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __lt__(self, other: DebianVersion) -> bool:
        return self._key < other._key

    def __repr__(self) -> str:
        return f"DebianVersion({self.text!r})"


def _parts(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Return alternating runs of other characters and digits, each as something to compare.

    A tilde sorts before the end of the text, that before letters, those before all else.
    """
    parts = []
    for other, digits in _PARTS.findall(text):
        if other or digits:
            # The end of a run counts as 0, so that ``1.0~rc`` comes before ``1.0``.
            parts.append(((*(_order(char) for char in other), 0), int(digits or 0)))
    return (*parts, ((0,), 0))


def _order(char: str) -> int:
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 256
