"""How long either version took to answer: HAProxy's own log of each request, over a socket.

The statistics of HAProxy hold means only. So it writes one datagram a request, with the server
and the milliseconds to the first byte of its answer, to a socket in the state folder; nobody has
to listen there, and a datagram that nobody takes is lost without a trace in the traffic.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from aipipe_deploy.judge.tick import Arm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FORMAT = "%b %s %Tr"
"""HAProxy's ``log-format``: backend, server, milliseconds (-1: there was no answer)."""

LEARNED_FROM = 80
"""Answers of the old version from which its p50, p95 and p99 are taken."""

_MOST_KEPT = 20_000
_PAUSE = 0.25
_FIELDS = 3
_QUANTILES = (0.50, 0.95, 0.99)


class AnswerLog:
    """Listens from :meth:`start` to :meth:`stop`, in a thread, at one socket.

    Where the socket cannot be made (a path that is too long, no permission) nothing is heard,
    and latency is not judged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._over = threading.Event()
        self._heard: dict[tuple[str, str], deque[int]] = defaultdict(
            lambda: deque(maxlen=_MOST_KEPT)
        )
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen; a socket that an earlier process left is replaced."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._path.unlink(missing_ok=True)
            listener.bind(str(self._path))
            self._path.chmod(0o600)
        except OSError:
            listener.close()
            return
        listener.settimeout(_PAUSE)
        self._thread = threading.Thread(
            target=self._listen, args=(listener,), name="answers", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End, and take the socket away."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def take(self, backend: str, servers: Iterable[str]) -> list[int]:
        """Return the milliseconds of the answers since the last call, in their order."""
        taken: list[int] = []
        for server in servers:
            heard = self._heard.get((backend, server))
            while heard:
                taken.append(heard.popleft())
        return taken

    def note(self, line: bytes) -> None:
        """Take one line of the log; what is none is passed over."""
        words = line.split()
        if len(words) != _FIELDS:
            return
        backend, server, shown = words
        with contextlib.suppress(ValueError):
            spent = int(shown)
            if spent >= 0:
                self._heard[backend.decode(), server.decode()].append(spent)

    def _listen(self, listener: socket.socket) -> None:
        with listener:
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    self.note(listener.recv(512))


class Latency:
    """Slow requests of two versions of one service, by what the old one takes in the window."""

    def __init__(
        self, log: AnswerLog, backend: str, *, old: Iterable[str], new: Iterable[str]
    ) -> None:
        self._log = log
        self._backend = backend
        self._slots = (tuple(old), tuple(new))
        self._learned: list[int] = []
        self._limits: tuple[int, ...] = ()
        self._waiting: tuple[deque[int], deque[int]] = (deque(), deque())

    def with_slow(self, old: Arm, new: Arm) -> tuple[Arm, Arm]:
        """Return both arms of a tick with their slow requests, as they are without limits yet.

        The log and the counters are read a moment apart: an answer that the counters do not
        hold yet is kept for the next tick.
        """
        heard = [self._log.take(self._backend, slots) for slots in self._slots]
        if not self._limits:
            self._learned += heard[0]
            if len(self._learned) >= LEARNED_FROM:
                ranked = sorted(self._learned)
                self._limits = tuple(ranked[int(q * (len(ranked) - 1))] for q in _QUANTILES)
            return old, new
        for waiting, spent in zip(self._waiting, heard, strict=True):
            waiting.extend(sum(one > limit for limit in self._limits) for one in spent)
        return _counted(old, self._waiting[0]), _counted(new, self._waiting[1])


def _counted(arm: Arm, waiting: deque[int]) -> Arm:
    taken = [waiting.popleft() for _ in range(min(len(waiting), int(arm.requests)))]
    p50, p95, p99 = (sum(level >= at for level in taken) for at in (1, 2, 3))
    return Arm(arm.requests, arm.bad, (p50, p95, p99))
