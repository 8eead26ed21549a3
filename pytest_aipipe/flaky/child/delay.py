"""Delays that a busy machine may put anywhere: nothing here makes anything too early.

Sleeps, timers and thread starts only ever become later, and no thread loses more than
:data:`MOST` seconds in all: a test that allows for a second does not notice.
"""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from typing import Any

MOST = 0.3
LATE = 0.2
LINE = 0.004
_sleep = time.sleep


class Delays:
    """Installs one kind of delay in this process."""

    def __init__(self, kind: str, seed: int, top: str) -> None:
        self.top = top
        self.chance = random.Random(seed)  # noqa: S311 - steadiness is the point
        self.spent: dict[int, float] = {}
        self.started = False
        getattr(self, "_" + kind.replace("-", "_"))()

    def wait(self, seconds: float) -> None:
        """Sleep, as far as this thread may still be delayed."""
        me = threading.get_ident()
        left = MOST - self.spent.get(me, 0.0)
        if left > 0:
            seconds = min(seconds, left)
            self.spent[me] = self.spent.get(me, 0.0) + seconds
            _sleep(seconds)

    def _late_threads(self) -> None:
        plain = threading.Thread.run
        delays = self

        def run(thread: threading.Thread) -> None:
            delays.wait(LATE)
            plain(thread)

        threading.Thread.run = run  # type: ignore[assignment, method-assign, unused-ignore]
        # A subclass with a run of its own is delayed where it begins.
        begin = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]  # noqa: SLF001

        def bootstrap(thread: threading.Thread) -> None:
            if type(thread).run is not run:
                own = thread.run

                def late() -> None:
                    delays.wait(LATE)
                    own()

                thread.run = late  # type: ignore[assignment, method-assign, unused-ignore]
            begin(thread)

        threading.Thread._bootstrap_inner = bootstrap  # type: ignore[attr-defined]  # noqa: SLF001

    def _opcodes(self) -> None:
        sys.setswitchinterval(1e-6)
        threading.settrace(self._trace_opcodes)
        # The main thread as well: threads may race with it.
        sys.settrace(self._trace_opcodes)

    def _trace_opcodes(self, frame: Any, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self.top):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and threading.active_count() > 1 and self.chance.random() < 0.05:  # noqa: PLR2004
            self.wait(self.chance.uniform(0.0005, 0.004))
        return self._trace_opcodes

    def _slow_main(self) -> None:
        sys.settrace(self._trace_lines)

    def _trace_lines(self, frame: Any, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self.top):
            return None
        if event == "line":
            self.wait(self.chance.uniform(0, 2) * LINE)
        return self._trace_lines

    def _slow_lines(self) -> None:
        """Few lines, each much later: what stands between two readings of a clock."""
        sys.settrace(self._trace_big)

    def _trace_big(self, frame: Any, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self.top):
            return None
        if event == "line":
            self.wait(0.06)
        return self._trace_big

    def _late_sleeps(self) -> None:
        delays = self

        def sleep(seconds: float, /) -> None:
            _sleep(seconds)
            if threading.current_thread() is not threading.main_thread():
                delays.wait(delays.chance.uniform(0.05, 0.25))

        time.sleep = sleep  # type: ignore[assignment]

    def _late_timers(self) -> None:
        plain = asyncio.base_events.BaseEventLoop.call_at
        delays = self

        def call_at(loop: Any, when: float, *args: Any, **kwargs: Any) -> Any:
            return plain(loop, when + delays.chance.uniform(0, 0.15), *args, **kwargs)

        asyncio.base_events.BaseEventLoop.call_at = call_at  # type: ignore[assignment, method-assign, unused-ignore]
