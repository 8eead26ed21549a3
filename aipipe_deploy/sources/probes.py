"""Probes: our own requests to both versions, for hours in which users are few."""

from __future__ import annotations

import http.client
import itertools
import threading
from typing import TYPE_CHECKING

from aipipe_deploy.judge.tick import Arm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_deploy.targets.unit import Member

_SECONDS = 2.0
_SERVER_ERROR = 500


class Probes:
    """A thread that asks each member of one version in turn, ``rate`` times a second.

    They go past the proxy, so its counters do not hold them. ``arm`` is what came of them.
    """

    def __init__(self, members: Sequence[Member], path: str, *, rate: float) -> None:
        self._members = tuple(members)
        self._path = path
        self._pause = 1.0 / rate
        self._over = threading.Event()
        self._asked = 0
        self._bad = 0
        self._thread: threading.Thread | None = None

    @property
    def arm(self) -> Arm:
        """How many were sent and how many failed, since the start."""
        bad = self._bad  # read first: the other thread counts a request before its failure
        return Arm(max(self._asked, bad), bad)

    def start(self) -> None:
        """Begin, unless it did."""
        if self._thread is None and self._members:
            self._thread = threading.Thread(target=self._run, name="probes", daemon=True)
            self._thread.start()

    def stop(self, *, wait: bool = True) -> None:
        """End; ``wait`` for the last answer."""
        self._over.set()
        if self._thread and wait:
            self._thread.join()

    def _run(self) -> None:
        for member in itertools.cycle(self._members):
            failed = not self._ask(member)
            self._asked += 1
            self._bad += failed
            if self._over.wait(self._pause):
                return

    def _ask(self, member: Member) -> bool:
        connection = http.client.HTTPConnection(member.address, member.port, timeout=_SECONDS)
        try:
            connection.request("GET", self._path, headers={"User-Agent": "aipipe-deploy-probe"})
            return connection.getresponse().status < _SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
