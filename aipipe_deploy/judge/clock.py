"""The watch's own clock: time that passed, from ticks whose clock may jump."""

from __future__ import annotations

_LONGEST_GAP = 60.0
_FIRST = 1.0
_SHORTEST = 0.001


class TickClock:
    """Adds up the seconds between ticks.

    A step back or a leap of more than a minute is the clock's fault: the tick is taken to
    be as long as the one before, and ``jumps`` counts it. A tick that repeats the time of
    the one before is the same tick, delivered twice.
    """

    __slots__ = ("_last", "_step", "elapsed", "jumps", "repeats")

    def __init__(self) -> None:
        self._last: float | None = None
        self._step = _FIRST
        self.elapsed = 0.0
        self.jumps = 0
        self.repeats = 0

    def advance(self, t: float) -> float:
        """Seconds since the tick before; 0 for a repeated tick; at least a millisecond else."""
        last = self._last
        if last is None:
            self._last = t
            step = t if _SHORTEST <= t <= _LONGEST_GAP else _FIRST
        else:
            step = t - last
            if step == 0.0:
                self.repeats += 1
                return 0.0
            self._last = t
            if not _SHORTEST <= step <= _LONGEST_GAP:
                self.jumps += 1
                step = self._step
            else:
                self._step = step
        self.elapsed += step
        return step
