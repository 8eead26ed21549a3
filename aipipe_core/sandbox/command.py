"""A sandboxed command as a value, and the one place that runs it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from aipipe_core.sandbox.policy import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_GRACE = 2.0  # seconds between asking a tree of processes to end and ending it
_OUTPUT = 8 * 1024 * 1024
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Command:
    """What to start, whole: ``argv`` already holds the isolation and the limits.

    Start it with ``popen`` (or with ``subprocess.Popen`` and ``start_new_session=True``);
    descriptors given as ``pass_fds`` reach the sandboxed program. It exits as the program
    did, with 128 + N after signal N, and 125 where the sandbox could not be made.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    sandbox: str
    limits: Limits = field(default_factory=Limits)

    def popen(self, **kwargs: Any) -> subprocess.Popen[bytes]:
        """Start it as the leader of its own process group; ``kwargs`` are ``Popen``'s."""
        with _precedence():
            return subprocess.Popen(
                self.argv, env=dict(self.env), cwd=self.cwd, start_new_session=True, **kwargs
            )


@contextlib.contextmanager
def _precedence() -> Iterator[None]:
    """Let the launcher that this thread starts within take precedence, as far as the user may.

    It keeps that to itself, and keeps watch with it. It has to be born with it: inside a
    namespace of users the right to take it is gone.
    """
    taken = None
    with contextlib.suppress(OSError, AttributeError):  # a user who may not, macOS
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        taken = before
    try:
        yield
    finally:
        if taken is not None:
            os.sched_setscheduler(0, *taken)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; ``stdout`` and ``stderr`` are cut at the output limit."""

    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool
    seconds: float


def run(
    command: Command,
    *,
    stdin: bytes = b"",
    pass_fds: Sequence[int] = (),
    output_limit: int = _OUTPUT,
) -> Outcome:
    """Run to the end or to ``command.limits.seconds``; nothing of it is left behind.

    Where a mount of the machine went away while the sandbox was being made, as a container
    engine's do, nothing has run yet, and it is made once more.
    """
    for _ in range(_TRIES - 1):
        outcome = _run_once(command, stdin, pass_fds, output_limit)
        if not _lost_a_mount(outcome):
            return outcome
    return _run_once(command, stdin, pass_fds, output_limit)


def _lost_a_mount(outcome: Outcome) -> bool:
    said = outcome.stderr
    return (
        outcome.returncode != 0
        and said.startswith(b"bwrap: Can't bind mount")
        and b"No such file or directory" in said
    )


def _run_once(
    command: Command, stdin: bytes, pass_fds: Sequence[int], output_limit: int
) -> Outcome:
    started = time.monotonic()
    # Files, not pipes: a flood of output then costs disk, up to the limit on file size, and
    # a grandchild that keeps a pipe open cannot hold us.
    with (
        tempfile.TemporaryFile() as source,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        source.write(stdin)
        source.seek(0)
        process = command.popen(stdin=source, stdout=out, stderr=err, pass_fds=tuple(pass_fds))
        timed_out = False
        try:
            process.wait(command.limits.seconds)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            kill(process)
        return Outcome(
            returncode=process.returncode,
            stdout=_read(out, output_limit),
            stderr=_read(err, output_limit),
            timed_out=timed_out,
            seconds=time.monotonic() - started,
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End what ``Command.popen`` started, with every descendant, and reap it.

    The launcher is asked first: where there is no namespace to fall with it, it alone knows
    the descendants that left the process group.
    """
    if process.poll() is None:
        with contextlib.suppress(OSError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(stream: IO[bytes], limit: int) -> bytes:
    stream.seek(0)
    return stream.read(limit)
