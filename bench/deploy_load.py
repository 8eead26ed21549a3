"""A bounded load of idempotent requests on loopback, and what became of each.

    python bench/deploy_load.py URL --seconds 10 --connections 8 --rate 400

Each connection is kept alive. A request that finds its connection closed before it has the whole
answer is sent once more on a new one, as RFC 9110 (9.2.2) lets clients do and browsers do; such
requests are counted as ``reconnected``. Anything but a 2xx after that is lost. Prints a JSON
object. With ``--log FILE`` every answer's time, status and body's first word are written there.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LONGEST = 600.0
MOST_CONNECTIONS = 64


@dataclass
class Tally:
    """What one connection saw."""

    sent: int = 0
    reconnected: int = 0
    lost: list[str] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    answers: list[tuple[float, int, str, float]] = field(default_factory=list)


class Load:
    """Threads that ask until they are stopped or the time is over."""

    def __init__(self, url: str, *, connections: int, rate: float, seconds: float) -> None:
        parts = urlsplit(url)
        assert parts.hostname in ("127.0.0.1", "localhost"), "loopback only"
        self._host, self._port = parts.hostname, parts.port or 80
        self._path = parts.path or "/"
        self._pause = min(connections, MOST_CONNECTIONS) / rate
        self._end = time.monotonic() + min(seconds, LONGEST)
        self._over = threading.Event()
        self._tallies = [Tally() for _ in range(min(connections, MOST_CONNECTIONS))]
        self._threads = [
            threading.Thread(target=self._ask_on, args=(tally, index), daemon=True)
            for index, tally in enumerate(self._tallies)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let every thread end after its request."""
        self._over.set()

    def is_answered(self) -> bool:
        """Say whether every connection has had an answer: each is then a kept one."""
        return all(tally.answers for tally in self._tallies)

    def result(self) -> dict[str, object]:
        """Wait for the end; return the sums."""
        for thread in self._threads:
            thread.join()
        versions: Counter[str] = Counter()
        for tally in self._tallies:
            versions += tally.versions
        lost = [reason for tally in self._tallies for reason in tally.lost]
        return {
            "sent": sum(t.sent for t in self._tallies),
            "lost": len(lost),
            "reasons": dict(Counter(lost).most_common(5)),
            "reconnected": sum(t.reconnected for t in self._tallies),
            "versions": dict(versions),
            "slowest_ms": round(1000 * max(t.slowest for t in self._tallies), 1),
        }

    def answers(self) -> list[tuple[float, int, str, float]]:
        """All answers (time, status, version, time sent) in the order of their times."""
        return sorted(answer for tally in self._tallies for answer in tally.answers)

    def _ask_on(self, tally: Tally, index: int) -> None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        next_at = time.monotonic() + self._pause * index / len(self._tallies)
        used = False
        while not self._over.is_set() and time.monotonic() < self._end:
            wait = next_at - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            next_at = max(next_at + self._pause, time.monotonic() - self._pause)
            used = self._once(connection, tally, used=used)
        connection.close()

    def _once(self, connection: http.client.HTTPConnection, tally: Tally, *, used: bool) -> bool:
        began, asked = time.monotonic(), time.time()
        tally.sent += 1
        for attempt in (1, 2):
            try:
                connection.request("GET", self._path)
                answer = connection.getresponse()
                body = answer.read().decode(errors="replace").split()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                cut = isinstance(error, ConnectionError | http.client.IncompleteRead)
                if attempt == 1 and used and cut:
                    tally.reconnected += 1
                    continue
                tally.lost.append(type(error).__name__)
                return False
            word = body[0] if body else ""
            tally.slowest = max(tally.slowest, time.monotonic() - began)
            tally.answers.append((time.time(), answer.status, word, asked))
            if 200 <= answer.status < 300:
                tally.versions[word] += 1
            else:
                tally.lost.append(str(answer.status))
            return not answer.will_close
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rate", type=float, default=400.0)
    parser.add_argument("--log")
    options = parser.parse_args()
    load = Load(
        options.url,
        connections=options.connections,
        rate=options.rate,
        seconds=options.seconds,
    )
    signal.signal(signal.SIGTERM, lambda *_: load.end())
    load.start()
    result = load.result()
    if options.log:
        with open(options.log, "w", encoding="utf-8") as out:  # noqa: PTH123 - a path as given
            out.writelines(
                f"{at:.6f} {status} {word} {asked:.6f}\n"
                for at, status, word, asked in load.answers()
            )
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
