"""A Prometheus that measures both versions: counters by queries of the team's own.

It is asked in a thread of its own, so that one that is slow delays no look of the judge's; what
it said last counts until it is too old. What it cannot answer is a reading without counts: the
judge then says that it does not know, and never that a version is bad.
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from aipipe_deploy.judge.counters import Totals
from aipipe_deploy.judge.tick import Arm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aipipe_deploy.config import Metrics

_TIMEOUT = 2.0
_STALE = 5
"""So many rounds without an answer, and the last one is too old to count."""
_MOST_BYTES = 1_000_000
_PAIR = 2


class PrometheusCounters:
    """Both versions' totals by two queries; see :class:`aipipe_deploy.judge.counters.Source`.

    ``$service`` and ``$release`` in a query become the service's name and the number of the
    release (``old`` and ``new`` are their values). A query has to give one number, a counter's
    sum; no series at all is 0 for ``bad``, which is not there before the first error, and no
    answer for ``requests``.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        old: Mapping[str, str],
        new: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        self._metrics = metrics
        self._names = (old, new)
        self._clock = clock
        self._last: Totals | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to ask, every ``metrics.every`` seconds."""
        self._thread = threading.Thread(target=self._run, name="prometheus", daemon=True)
        self._thread.start()

    def stop(self, *, wait: bool = True) -> None:
        """End; ``wait`` for the answer to a question that is on its way, at most its timeout."""
        self._over.set()
        if self._thread is not None and wait:
            self._thread.join(2 * _TIMEOUT)

    def totals(self) -> Totals:
        """Return what was said last; None for both where nothing was, or too long ago."""
        now, last = self._clock(), self._last
        if last is None or now - last.t > max(_STALE * self._metrics.every, 2 * _TIMEOUT):
            return Totals(now, None, None)
        return last

    def ask(self) -> Totals:
        """Ask for both versions now; a version without an answer is None."""
        return Totals(self._clock(), *(self._arm(names) for names in self._names))

    def _run(self) -> None:
        while not self._over.is_set():
            totals = self.ask()
            if totals.old is not None and totals.new is not None:
                self._last = totals
            self._over.wait(self._metrics.every)

    def _arm(self, names: Mapping[str, str]) -> Arm | None:
        try:
            requests = self._number(self._metrics.requests, names)
            bad = self._number(self._metrics.bad, names)
        except (OSError, ValueError, http.client.HTTPException):
            return None
        return None if requests is None else Arm(requests, bad or 0.0)

    def _number(self, query: str, names: Mapping[str, str]) -> float | None:
        for name, value in names.items():
            query = query.replace(f"${name}", value)
        asked = urllib.parse.urlencode({"query": query})
        url = f"{self._metrics.url.rstrip('/')}/api/v1/query?{asked}"
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310 - checked by the configuration
            return _value(json.loads(answer.read(_MOST_BYTES)))


def _value(document: Any) -> float | None:
    """Return the one number of an instant query's answer, None where there is no series.

    Raises ``ValueError`` for everything that is no answer to such a query.
    """
    try:
        data = document["data"]
        if document["status"] != "success" or data["resultType"] not in ("vector", "scalar"):
            raise ValueError(f"no answer of one number: {str(document)[:200]}")
        pairs = [data["result"]]
        if data["resultType"] == "vector":
            pairs = [sample["value"] for sample in data["result"]]
        if not pairs:
            return None
        if len(pairs) > 1 or len(pairs[0]) != _PAIR:
            raise ValueError("the query gives more than one series; sum them")
        return float(pairs[0][1])
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"no answer of a Prometheus: {str(document)[:200]}") from error
