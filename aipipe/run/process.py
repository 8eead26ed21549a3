"""Start one command, feed its output on, and end it whole: at its time, or when asked."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe.run.survivors import MARK, end_group, kill_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from aipipe.run.output import Output

_CHUNK = 1 << 16
_TICK = 0.1
_AFTER_END = 0.5
"""Seconds in which what is still in the pipe is read after the command has ended."""
_LAST_WORDS = 2.0

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""A shell's exit codes for a command that cannot be started."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended. ``code`` is negative where a signal did it, None when stopped by us."""

    code: int | None
    seconds: float
    timed_out: bool = False
    stopped: bool = False
    left_behind: int = 0

    @property
    def passed(self) -> bool:
        """Whether it ended by itself, with 0."""
        return self.code == 0

    @property
    def words(self) -> str:
        """How it ended, as a person says it."""
        if self.timed_out:
            return f"ran out of time after {self.seconds:.0f} s"
        if self.stopped or self.code is None:
            return "stopped"
        if self.code < 0:
            return f"killed by {_name_of(-self.code)}"
        return f"exit code {self.code}"


def run_process(
    argv: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    mark: str,
    timeout: float,
    grace: float,
    output: Output,
    stop: threading.Event,
) -> Ended:
    """Run ``argv`` in a session of its own until it ends, its time is up, or ``stop`` is set.

    Whatever it started and left running is killed as well; ``left_behind`` counts those.
    """
    begun = time.monotonic()
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=folder,
            env={**environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        output.note(f"{argv[0]} cannot be started: {error.strerror or error}")
        missing = isinstance(error, FileNotFoundError)
        return Ended(NOT_FOUND if missing else NOT_EXECUTABLE, time.monotonic() - begun)
    try:
        timed_out, stopped = _follow(process, output, begun + timeout, stop)
        if timed_out or stopped:
            _drain_while(process, output, lambda: end_group(process.pid, mark, grace))
        process.wait()
        left = kill_group(process.pid, mark)
    except BaseException:
        kill_group(process.pid, mark)
        process.wait()
        raise
    finally:
        if process.stdout:
            process.stdout.close()
    cut = timed_out or stopped
    code: int | None = None if cut else process.returncode
    return Ended(code, time.monotonic() - begun, timed_out, stopped, 0 if cut else left)


def _follow(
    process: subprocess.Popen[bytes], output: Output, until: float, stop: threading.Event
) -> tuple[bool, bool]:
    """Read until the command has ended; return whether its time was up or a stop was asked."""
    with selectors.DefaultSelector() as selector:
        assert process.stdout is not None  # noqa: S101 - opened as a pipe above
        selector.register(process.stdout, selectors.EVENT_READ)
        is_open, ended = True, 0.0
        while True:
            now = time.monotonic()
            if process.poll() is not None:
                ended = ended or now
                # A child that was left behind may hold the pipe open for ever.
                if not is_open or now - ended > _AFTER_END:
                    return False, False
            elif stop.is_set():
                return False, True
            elif now >= until:
                return True, False
            if not is_open:
                time.sleep(_TICK / 10)
            elif selector.select(min(_TICK, max(0.0, until - now)) if not ended else _TICK):
                is_open = _read(process.stdout.fileno(), output)
            elif ended:
                return False, False


def _read(descriptor: int, output: Output) -> bool:
    data = os.read(descriptor, _CHUNK)
    if data:
        output.write(data)
    return bool(data)


def _drain_while(process: subprocess.Popen[bytes], output: Output, end: Callable[[], None]) -> None:
    """Call ``end`` while the last words are read: a writer on a full pipe could not stop."""
    assert process.stdout is not None  # noqa: S101 - opened as a pipe above
    # A copy: one who escaped every kill may hold the pipe, and the reader then stays with it.
    descriptor = os.dup(process.stdout.fileno())

    def read() -> None:
        try:
            while _read(descriptor, output):
                pass
        finally:
            os.close(descriptor)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    end()
    reader.join(_LAST_WORDS)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
