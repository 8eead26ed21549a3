"""The watch after a stage: a check every so often, for so long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from aipipe.pipeline.model import Monitor
    from aipipe.run.process import Ended

    Start = Callable[[Sequence[str], float], Ended]


def watch(monitor: Monitor, start: Start, stop: threading.Event) -> str:
    """Return what the watch found in words, empty when its time passed without an anomaly.

    ``start(argv, timeout)`` runs a check. An anomaly is ``monitor.failures`` failed checks in
    a row; a check that outlasts the watch is cut off and counts as failed.
    """
    until = time.monotonic() + monitor.seconds
    failed, checks = 0, 0
    while not stop.is_set():
        begun = time.monotonic()
        ended = start(monitor.command, max(monitor.every, until - begun))
        checks += 1
        failed = 0 if ended.passed else failed + 1
        if stop.is_set():
            break
        if failed >= monitor.failures:
            times = f"{failed} times in a row" if failed > 1 else "once"
            return f"the check failed {times} ({ended.words}), {checks} checks done"
        left = until - time.monotonic()
        if left <= 0:
            return ""
        stop.wait(min(left, max(0.0, begun + monitor.every - time.monotonic())))
    return "it was interrupted"
