"""The lease: of two runners one acts, and a dead one blocks nobody.

Its time is the machine's uptime, which no clock correction moves; after a restart of the
machine every older lease is void. On the same machine a dead owner is known by its process id
at once. Each owner gets a higher fencing token, and every write to the journal checks it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lease."""

    host: str
    boot: str
    pid: int
    born: str
    """The start time of the process: a process id alone may be used again."""

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(socket.gethostname(), boot_id(), os.getpid(), born(os.getpid()))

    def is_dead(self) -> bool:
        """Tell whether it surely cannot act any more; False where nobody knows."""
        if self.host != socket.gethostname():
            return False
        if self.boot != boot_id():
            return True
        return born(self.pid) != self.born

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def boot_id() -> str:
    """What tells one start of the machine from another, and one process namespace."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return "unknown"


def born(pid: int) -> str:
    """Return when a process started, "" when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
        try:  # no /proc on this system
            os.kill(pid, 0)
        except ProcessLookupError:
            return ""
        except PermissionError:
            pass
        return "alive"
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def uptime() -> float:
    """Seconds since the machine started, asleep or not."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Lease:
    """Held while a runner acts; a thread renews it. ``token`` fences off whoever was before."""

    def __init__(self, token: int, renew: Callable[[], None], release: Callable[[], None]) -> None:
        self.token = token
        self._renew = renew
        self._release = release
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        with suppress(Exception):
            self._release()

    def _keep(self) -> None:
        while not self._over.wait(SECONDS / 3):
            # A renewal that fails shows at the next write to the journal, which is fenced.
            with suppress(Exception):
                self._renew()


def taken(owner: Owner, left: float) -> SurroundingsError:
    """Return the error for a lease that somebody else holds."""
    return SurroundingsError(
        "release-under-way",
        f"Another runner is at work: {owner}",
        hint=f"Wait for it; should it hang, its lease ends {max(0.0, left):.0f} s after its end.",
    )


def lost() -> SurroundingsError:
    """Return the error for a runner that was overtaken."""
    return SurroundingsError(
        "lease-lost",
        "Another runner took over while this one stood still",
        hint="Nothing was done since; see aipipe-deploy status.",
    )
