"""Processes that outlive the stage that started them, and their end.

Killing the process group is not enough: a child that began a session of its own has left it.
Each stage therefore carries a mark in its environment, which children inherit, and on Linux
``/proc`` tells who still has it (the way Jenkins' ProcessTreeKiller works).
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

MARK = "PIPELINE_MARK"
_PROC = Path("/proc")
_POLL = 0.02


def marked(mark: str) -> list[int]:
    """Return the processes whose environment has ``mark``, or begins it; never our own."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):  # gone meanwhile, or another user's
            variables = (entry / "environ").read_bytes().split(b"\0")
            if any(variable.startswith(wanted) for variable in variables):
                found.append(int(entry.name))
    return found


def end_group(group: int, mark: str, grace: float) -> None:
    """Ask the group, and who else has the mark, to stop; after ``grace`` seconds kill them."""
    _signal(group, mark, signal.SIGTERM)
    until = time.monotonic() + grace
    while time.monotonic() < until and is_alive(group, mark):
        time.sleep(_POLL)
    kill_group(group, mark)


def kill_group(group: int, mark: str) -> int:
    """Kill the group and who else has the mark; return how many were still there."""
    count = 0
    for _ in range(50):  # one that forks while it dies is met again
        left = _signal(group, mark, signal.SIGKILL)
        count = max(count, left)
        if not left:
            break
        time.sleep(_POLL)
    return count


def is_alive(group: int, mark: str) -> bool:
    """Whether anything of the stage still runs."""
    return bool(_members(group)) or any(not _is_zombie(pid) for pid in marked(mark))


def _members(group: int) -> list[int]:
    """Return the group's processes that still run; without /proc, the group's number itself."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return []
    if not _PROC.is_dir():
        return [group]
    return [pid for pid, of in _groups() if of == group and not _is_zombie(pid)]


def _groups() -> list[tuple[int, int]]:
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ProcessLookupError):
                found.append((int(entry.name), os.getpgid(int(entry.name))))
    return found


def _is_zombie(pid: int) -> bool:
    try:
        status = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return True  # gone
    # The name may hold anything, brackets too; the state follows the last one.
    return status.rpartition(b")")[2].split()[:1] == [b"Z"]


def _signal(group: int, mark: str, number: signal.Signals) -> int:
    others = [pid for pid in marked(mark) if not _is_zombie(pid)]
    members = _members(group)
    if members:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
    for pid in others:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    return len(set(members) | set(others))


def kill_marked(mark: str) -> int:
    """Kill every process whose mark begins with ``mark``; return how many there were."""
    found = marked(mark)
    for pid in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return len(found)
