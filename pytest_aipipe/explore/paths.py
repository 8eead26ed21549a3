"""The way that one run takes through the changed files, seen by a light tracer of our own.

Arcs are noted as coverage.py notes them; where the two differ (an exception that leaves a
generator, say) a trial under coverage.py decides afterwards.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

Path = frozenset[tuple[str, int, int]]
_RESUMABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Paths:
    """Traces the files given (file name to repository-relative path) while it is entered."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = dict(files)
        self._arcs: set[tuple[str, int, int]] = set()

    def __enter__(self) -> Self:
        self._arcs = set()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def taken(self) -> Path:
        """Return the arcs of the last run."""
        return frozenset(self._arcs)

    def _call(self, frame: FrameType, _event: str, _arg: object) -> Callable[..., Any] | None:
        path = self._files.get(frame.f_code.co_filename)
        if path is None:
            return None
        first = frame.f_code.co_firstlineno
        resumed = frame.f_code.co_flags & _RESUMABLE and frame.f_lineno != first
        last = frame.f_lineno if resumed else -first
        failed = False
        add = self._arcs.add

        def local(frame: FrameType, event: str, _arg: object) -> Any:
            nonlocal last, failed
            if event == "line":
                line = frame.f_lineno
                add((path, last, line))
                last, failed = line, False
            elif event == "exception":
                failed = True
            elif event == "return" and not failed:
                add((path, last, -first))
            return local

        return local
