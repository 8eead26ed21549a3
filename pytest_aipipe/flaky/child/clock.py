"""The wall clock, set to another time. time-machine replaces it at the level of C."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from typing import Any

NS = 1_000_000_000
_OURS = (f"{os.sep}_pytest{os.sep}", f"{os.sep}pluggy{os.sep}", "time_machine", "pytest_aipipe")
_QUIET = ("logging", "asyncio.base_events", "threading", "tempfile", "uuid")


WITHOUT = "The clock was left alone: that needs time-machine (pip install 'pytest-aipipe[flaky]')."


def can_turn() -> bool:
    """Whether the package that turns the clock is installed.

    It is no dependency of the plugin: it brings a plugin of its own, which every start of
    pytest would then load.
    """
    return importlib.util.find_spec("time_machine") is not None


class Clock:
    """A clock that begins at ``at`` (seconds since the epoch) and ticks.

    ``step`` adds seconds at every reading, as a busy machine does; ``coarse`` rounds down to
    multiples of so many seconds, as the clock of another system does.
    """

    def __init__(self, at: float, *, step: float = 0.0, coarse: float = 0.0, top: str = "") -> None:
        self.at, self.step, self.coarse = int(at * NS), int(step * NS), int(coarse * NS)
        self.top = top
        self.readings = 0
        self.places: set[tuple[str, int]] = set()
        import time_machine

        self._traveller: Any = time_machine.travel(at, tick=True).start()
        self._begun: int | None = _real()
        setattr(self._traveller, "time_ns", self.time_ns)  # noqa: B010

    def begin(self, at: float, step: float, coarse: float) -> None:
        """Start a trial at ``at``; the project's first reading sees exactly that."""
        self.at, self.step, self.coarse = int(at * NS), int(step * NS), int(coarse * NS)
        self.readings = 0
        self.places.clear()
        self._begun = None

    def time_ns(self) -> int:
        """Return the time as everybody reads it."""
        place = self._place()
        ticked = 0 if self._begun is None else _real() - self._begun
        if place is not None:
            self.places.add(place)
            self.readings += 1
            if self._begun is None:
                self._begun = _real()
        now = self.at + ticked + self.step * max(self.readings - 1, 0)
        return now - now % self.coarse if self.coarse else now

    def _place(self) -> tuple[str, int] | None:
        """Return where in the project the clock is read, None where it is not the project."""
        frame: Any = sys._getframe(2)  # noqa: SLF001 - who asks decides
        while frame is not None:
            file = frame.f_code.co_filename
            if frame.f_globals.get("__name__") in _QUIET:
                return None
            if file.startswith(self.top):
                return file, frame.f_lineno
            if any(part in file for part in _OURS[:2]):
                return None
            frame = frame.f_back
        return None


def _real() -> int:
    import _time_machine  # type: ignore[import-not-found]

    return int(_time_machine.original_time_ns())


def tzset() -> None:
    """Let a changed ``TZ`` count."""
    import time

    with contextlib.suppress(AttributeError):
        time.tzset()
