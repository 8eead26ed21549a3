"""One run at a time in a working tree: a lock that the kernel gives back when a runner dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "run.lock"


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold the lock in ``folder``, which exists.

    Raises ``SurroundingsError`` (``run-locked``, ``run-unwritable``).
    """
    path = folder / NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SurroundingsError(
            "run-unwritable",
            f"The run cannot be kept: {error.strerror}",
            where=str(path),
            hint="Check the folder's permissions and the free space.",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 100, 0).decode("ascii", "replace").strip()
            raise SurroundingsError(
                "run-locked",
                f"Another run is under way here ({holder or 'by an unknown process'})",
                where=str(path),
                hint="Wait for it, or stop it with Ctrl-C where it runs.",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)
