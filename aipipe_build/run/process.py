"""The one place where a command is started."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

    from aipipe_build.run.argv import Command

TOO_LONG = 124
"""The exit code that timeout(1) gives to what did not end in time."""
_GRACE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, or the signal that ended it, and what it said.

    ``said`` is standard error and output together, ``output`` the latter alone.
    """

    code: int
    signal: int = 0
    output: str = ""
    said: str = ""


def run_quietly(command: Command, folder: Path, *, seconds: float | None = None) -> Ended:
    """Run a short command and keep its words. Raises ``docker-missing``.

    What takes longer than ``seconds`` is killed and ends with :data:`TOO_LONG`.
    """
    with _clear_error(command.argv[0]):
        try:
            done = subprocess.run(
                command.argv,
                cwd=folder,
                env={**os.environ, **command.environ},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                text=True,
                errors="replace",
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return Ended(TOO_LONG, said=f"it did not end within {seconds:g} s")
    return _ended(done.returncode, done.stdout, done.stderr + done.stdout)


def run_and_listen(command: Command, folder: Path, listen: Callable[[str], None]) -> Ended:
    """Run a long command; each line of its standard error goes to ``listen``.

    An interrupt is passed on, and the command gets the time to clean up.
    """
    with _clear_error(command.argv[0]):
        process = subprocess.Popen(
            command.argv,
            cwd=folder,
            env={**os.environ, **command.environ},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    assert process.stderr is not None  # noqa: S101 - it was asked for
    with process, _terminable():
        try:
            for line in process.stderr:
                listen(line)
            process.wait()
        except BaseException:
            _stop(process)
            raise
    return _ended(process.returncode)


def _ended(code: int, output: str = "", said: str = "") -> Ended:
    return Ended(code, -code if code < 0 else 0, output, said)


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()


@contextmanager
def _clear_error(program: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if program != "docker":
            raise SurroundingsError(
                "program-missing", f"there is no {program} on the PATH", hint="Install it."
            ) from error
        raise SurroundingsError(
            "docker-missing",
            "there is no docker command on the PATH",
            hint="Install the Docker client with its buildx plugin.",
        ) from error


@contextmanager
def _terminable() -> Iterator[None]:
    """Take SIGTERM, which CI sends on cancelling, for an interrupt: the build is to end too."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread: whoever runs us there handles signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
