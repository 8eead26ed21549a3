"""A smaller machine: fewer files open at once, less memory, one processor."""

from __future__ import annotations

import os
import resource
from contextlib import suppress

FILES = 256
"""The usual limit of a macOS shell, the lowest that is common."""
MEMORY = 256 << 20
"""Bytes that a test may add to what pytest and the project already hold."""


def limit(kind: str) -> None:
    """Apply ``files``, ``memory`` or ``one-cpu`` to this process."""
    if kind == "files":
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    elif kind == "memory":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (_data() + MEMORY, hard))
    elif kind == "one-cpu":
        with suppress(AttributeError, OSError):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        os.cpu_count = lambda: 1


def _data() -> int:
    """Return the bytes that count against ``RLIMIT_DATA`` already (proc(5), ``VmData``)."""
    with suppress(OSError), open("/proc/self/status", encoding="ascii") as stream:  # noqa: PTH123
        for line in stream:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 512 << 20
