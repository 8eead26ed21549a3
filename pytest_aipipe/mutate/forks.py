"""Run tasks in forked children, a few at a time, each with a limit of its own."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_PR_SET_PDEATHSIG = 1
Answer = dict[str, Any]
Report = Callable[[Answer], None]


@dataclass(frozen=True)
class Task:
    """``run`` is called in the child; what it passes to its argument is the answer."""

    ident: int
    run: Callable[[Report], None]
    limit: float


@dataclass
class Ended:
    """A task that came to its end: ``how`` is ``answered``, ``timeout`` or ``died``."""

    ident: int
    how: str
    answer: Answer
    seconds: float


@dataclass
class _Child:
    task: Task
    pid: int
    pipe: int
    started: float
    received: bytes = b""


def fork() -> int:
    """``os.fork`` without Python 3.12's warning: the children end with what they came for."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


def run_forked(tasks: Iterable[Task], *, jobs: int, deadline: float) -> Iterator[Ended]:
    """Run ``tasks``, ``jobs`` at a time; none is begun after ``deadline`` (monotonic).

    A child may answer more than once; the last answer counts, so that one which is killed
    leaves what it had found.
    """
    waiting = iter(tasks)
    running: list[_Child] = []
    more = True
    while more or running:
        while more and len(running) < jobs:
            task = next(waiting, None) if time.monotonic() < deadline else None
            more = task is not None
            if task is not None:
                running.append(_begin(task))
        if running:
            yield from _collect(running)


def _begin(task: Task) -> _Child:
    reader, writer = os.pipe()
    pid = fork()
    if pid == 0:
        _be_child(task, reader, writer)
    os.close(writer)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    return _Child(task, pid, reader, time.monotonic())


def _be_child(task: Task, reader: int, writer: int) -> None:
    """Never returns: whatever happens, the child must not go on as its parent."""
    status = 1
    try:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        os.close(reader)
        _end_with_parent()

        def report(answer: Answer) -> None:
            with os.fdopen(os.dup(writer), "wb") as pipe:
                pipe.write(json.dumps(answer).encode() + b"\n")

        task.run(report)
        status = 0
    except BaseException:  # noqa: S110
        pass  # the parent sees the status; SystemExit must not unwind into pytest
    finally:
        os._exit(status)


def _end_with_parent() -> None:
    """Ask Linux to kill this process when its parent is gone; elsewhere limits must do."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            prctl = ctypes.CDLL(None).prctl
            prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _collect(running: list[_Child]) -> Iterator[Ended]:
    now = time.monotonic()
    nearest = min(child.started + child.task.limit for child in running)
    ready, _, _ = select.select([c.pipe for c in running], [], [], max(0.0, nearest - now))
    for child in list(running):
        closed = False
        if child.pipe in ready:
            chunk = os.read(child.pipe, 1 << 16)
            child.received += chunk
            # A process that a test left behind may hold the pipe open after the answer.
            closed = not chunk or b'"done": true' in child.received[-32:]
        late = time.monotonic() - child.started > child.task.limit
        if closed or late:
            running.remove(child)
            yield _end(child, late=late and not closed)


def _end(child: _Child, *, late: bool) -> Ended:
    with contextlib.suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.kill(child.pid, signal.SIGKILL)
    _, status = os.waitpid(child.pid, 0)
    os.close(child.pipe)
    lines = child.received.splitlines()
    answer: Answer = {}
    for line in reversed(lines):
        with contextlib.suppress(ValueError):
            answer = json.loads(line)
            break
    seconds = time.monotonic() - child.started
    if late:
        how = "timeout"
    else:
        how = "answered" if status in {0, signal.SIGKILL} and answer.get("done") else "died"
    return Ended(child.task.ident, how, answer, seconds)
