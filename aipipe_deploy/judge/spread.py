"""How much of a tick's errors counts: one burst is one incident, not ten.

Errors that come singly are evidence each. Ten in the same instant may be one broken
connection. Two limits, both of which can only lower the new version's count and hence
only make a rollback rarer:

* a credit of errors for each second (a leaky bucket), so that one instant cannot decide;
* division by the clumping seen in the new version's own stream, estimated from the
  differences of successive seconds (von Neumann 1941), which a lone burst makes large and
  a lasting fault makes small again.
"""

from __future__ import annotations

import math

CREDIT = 1.5
"""Errors of one instant that count in full, and errors a second that do so for ever."""
SHARED_CREDIT = 5.0
"""Where the old version fails too, so many times the new one's fair share counts as well."""
_BLOCK = 1.0
_MEMORY = 120.0
_PRIOR = 2.0
_SEVERITY = 1.5
_NOISE = 1.5
"""Chance alone takes the estimate up to this for errors that come singly."""


class Spread:
    """Turns the new version's bad counts into counts of incidents."""

    __slots__ = ("_block", "_counts", "_credit", "_elapsed", "_last", "_squares")

    def __init__(self) -> None:
        self._credit = CREDIT
        self._elapsed = 0.0
        self._block = 0.0
        self._last = 0.0
        self._squares = 0.0
        self._counts = 0.0

    def wait(self, seconds: float, tick: float) -> None:
        """Let ``seconds`` pass since the last errors, of which ``tick`` are the new ones' own."""
        self._credit = min(CREDIT, self._credit + CREDIT * seconds)
        gap = seconds - tick
        self._elapsed += gap
        if self._elapsed + tick > _BLOCK + 1e-9:
            self._close()
            if gap >= _BLOCK:
                self._close()  # silence between: one empty block tells of the fall
        self._elapsed += tick

    def counted(self, bad: float, fair_share: float) -> float:
        """How many of ``bad`` errors count, given the number that would be fair."""
        self._block += bad
        credit = self._credit + SHARED_CREDIT * fair_share
        taken = min(bad, credit)
        self._credit = max(0.0, self._credit - taken)
        return taken / math.pow(self.clumping(), _SEVERITY)

    def clumping(self) -> float:
        """Variance over mean of the stream, at least 1."""
        if not self._block and not self._counts:
            return 1.0
        rise = max(0.0, self._block - self._last)
        squares = self._squares + rise * rise + 2.0 * _PRIOR
        return max(1.0, squares / (2.0 * (self._counts + self._block + _PRIOR)) / _NOISE)

    def _close(self) -> None:
        if self._block or self._last or self._counts:
            kept = math.exp(-self._elapsed / _MEMORY)
            step = self._block - self._last
            self._squares = self._squares * kept + step * step
            self._counts = self._counts * kept + self._block
        self._last = self._block
        self._block = 0.0
        self._elapsed = 0.0
