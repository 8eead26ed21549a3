"""HAProxy's counters: what real users were answered by either version. Nothing to install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.errors import SurroundingsError
from aipipe_deploy.judge.counters import Totals
from aipipe_deploy.judge.tick import Arm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aipipe_deploy.proxy.runtime import Runtime, ServerStats


class ProxyCounters:
    """Both versions' totals of one backend; see :class:`aipipe_deploy.judge.counters.Source`.

    A request that HAProxy tried again elsewhere counts against the server that failed it, so
    retries hide a bad version from users and not from the judge.
    """

    def __init__(
        self,
        runtime: Runtime,
        backend: str,
        *,
        old: Iterable[str],
        new: Iterable[str],
        clock: Callable[[], float],
    ) -> None:
        self._runtime = runtime
        self._backend = backend
        self._old = tuple(old)
        self._new = tuple(new)
        self._clock = clock

    def totals(self) -> Totals:
        """Read the counters; None for both where the proxy does not answer."""
        try:
            stats = self._runtime.stats()
        except (SurroundingsError, ValueError, KeyError):
            return Totals(self._clock(), None, None)
        return Totals(self._clock(), self._arm(stats, self._old), self._arm(stats, self._new))

    def _arm(
        self, stats: Mapping[tuple[str, str], ServerStats], slots: tuple[str, ...]
    ) -> Arm | None:
        found = [stats.get((self._backend, slot)) for slot in slots]
        if any(server is None for server in found):
            return None
        servers = [server for server in found if server]
        return Arm(sum(s.requests for s in servers), sum(s.bad for s in servers))
