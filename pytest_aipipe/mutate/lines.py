"""Which lines of a few files run, by tracing; everything else runs at nearly full speed."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from pytest_aipipe.mutate.swap import real

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

Line = tuple[str, int]


class LineTracer:
    """Collects (real path, line) of the wanted files while it is started."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.wanted = set(paths)
        self.seen: set[Line] = set()
        self._known: dict[str, str | None] = {}

    def start(self) -> None:
        """Trace from here on, in this thread and those that are yet to be started."""
        threading.settrace(self._call)
        sys.settrace(self._call)

    def stop(self) -> None:
        """Trace no more."""
        sys.settrace(None)
        threading.settrace(None)

    def take(self) -> set[Line]:
        """Return what was seen since the last time."""
        seen, self.seen = self.seen, set()
        return seen

    def _call(self, frame: FrameType, event: str, arg: Any) -> Any:
        del event, arg
        name = frame.f_code.co_filename
        try:
            path = self._known[name]
        except KeyError:
            path = self._known[name] = real(name) if real(name) in self.wanted else None
        if path is None:
            return None
        seen = self.seen

        def local(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "line":
                seen.add((path, frame.f_lineno))
            del arg
            return local

        return local
