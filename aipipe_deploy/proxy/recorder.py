"""The recorder: how many requests each server failed, second by second, over the last hours.

    python recorder.py FOLDER

It is a process of its own, as the keeper is: it outlives every command, and imports nothing but
the standard library. Once a second it reads the counters of the HAProxy whose socket lies in
FOLDER, and keeps their differences in ``record.json`` there, a row for each minute, so that a
release knows how clumped the failures of the version that serves were before anybody touched it.
What cannot be trusted (no answer, a reading that is late, counters that fell) ends a row; the next
one begins with the next good reading. It ends by itself where the folder is gone, another one
records already, or no proxy answered for ten minutes.
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import json
import math
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

RECORD = "record.json"
PID = "recorder.pid"
MOST_ROWS = 360
MOST_BYTES = 128 * 1024
ROW_SECONDS = 60
_LATE = 2.0
_SAVE_EVERY = 10.0
_GIVE_UP = 600.0
_TIMEOUT = 1.0
_CHUNK = 1 << 16
_MOST_STAT = 4_000_000
_ANSWERS = ("1xx", "2xx", "3xx", "4xx", "5xx", "other")

Totals = dict[tuple[str, str, str], tuple[int, int]]
"""By backend, slot and address: requests and failed ones since the proxy began."""


def answered(row: dict[str, str]) -> tuple[int, int]:
    """Return a server's requests that came to an end, and the failed ones, by its statistics.

    A request without an answer counts as failed, and so does one that HAProxy then tried again
    elsewhere: a failing server is charged with it. Raises ``ValueError`` for what is no count.
    """

    def number(name: str) -> int:
        return int(row.get(name) or 0)

    unanswered = number("econ") + number("eresp") + number("wretr")
    whole = sum(number(f"hrsp_{sort}") for sort in _ANSWERS)
    return whole + unanswered, number("hrsp_5xx") + unanswered


def rows_in(path: Path) -> list[dict[str, Any]]:
    """Return the rows that were kept; none where the file is missing, broken or strange."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        return [row for row in rows if math.isfinite(row["at"]) and int(row["seconds"]) > 0]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return []


class Ring:
    """The rows of the last hours: at most ``MOST_ROWS``, and ``MOST_BYTES`` on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = rows_in(path)[-MOST_ROWS:]
        self._open = False

    def cut(self) -> None:
        """End the row: what comes next does not follow on it."""
        self._open = False

    def add(self, at: float, counts: dict[tuple[str, str], tuple[int, int]]) -> None:
        """Take the second that ends at ``at``: requests and failed ones by backend and address."""
        if not self._open or self._rows[-1]["seconds"] >= ROW_SECONDS:
            self._rows = [*self._rows[1 - MOST_ROWS :], {"at": round(at, 3) - 1.0, "seconds": 0,
                                                         "servers": {}}]  # fmt: skip
            self._open = True
        row = self._rows[-1]
        for (backend, address), (requests, bad) in counts.items():
            if not requests:
                continue
            kept = row["servers"].setdefault(backend, {})
            kept = kept.setdefault(address, {"requests": 0, "bad": {}})
            kept["requests"] += requests
            if bad:
                kept["bad"][str(row["seconds"])] = bad
        row["seconds"] += 1

    def save(self) -> None:
        """Write the rows, the oldest left out where they are too many bytes."""
        text = json.dumps({"schema": 1, "rows": self._rows}, separators=(",", ":"))
        while len(text) > MOST_BYTES and len(self._rows) > 1:
            self._rows = self._rows[(len(self._rows) + 3) // 4 :]
            text = json.dumps({"schema": 1, "rows": self._rows}, separators=(",", ":"))
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            new.write_text(text, encoding="utf-8")
            new.replace(self._path)
        except OSError:  # a full disk: the journal needs the room more
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)


class Recorder:
    """From readings of counters to seconds of the ring. ``now`` never jumps; ``at`` may."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._last: tuple[float, Totals] | None = None

    def take(self, now: float, at: float, totals: Totals | None) -> None:
        """Take a reading; None where the proxy did not answer."""
        last, self._last = self._last, None if totals is None else (now, totals)
        if totals is None or last is None or not 0 < now - last[0] <= _LATE:
            self._ring.cut()
            return
        counts: dict[tuple[str, str], tuple[int, int]] = {}
        for key, (requests, bad) in totals.items():
            before = last[1].get(key)
            if before is None:
                continue  # a server that is new here, or has another address
            more, worse = requests - before[0], bad - before[1]
            if more < 0 or worse < 0:
                self._ring.cut()  # the proxy began anew
                return
            backend, _, address = key
            old = counts.get((backend, address), (0, 0))
            counts[backend, address] = (old[0] + more, old[1] + worse)
        self._ring.add(at, counts)


def read_totals(path: Path) -> Totals | None:
    """Ask HAProxy for every server's counters; None where it does not tell."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_TIMEOUT)
            connection.connect(str(path))
            connection.sendall(b"show stat -1 4 -1\n")
            text = b""
            while chunk := connection.recv(_CHUNK):
                text += chunk
                if len(text) > _MOST_STAT:
                    return None
        return totals_of(text.decode(errors="replace"))
    except (OSError, ValueError, KeyError):
        return None


def totals_of(text: str) -> Totals:
    """Read the counters out of HAProxy's CSV. Raises ``ValueError`` or ``KeyError``."""
    rows = csv.DictReader(text.lstrip("# ").splitlines())
    return {(row["pxname"], row["svname"], row["addr"]): answered(row) for row in rows}


def run(folder: Path) -> int:
    """Record until SIGTERM, or until there is nothing left to record."""
    with (folder / "recorder.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0  # another one records
        (folder / PID).write_text(f"{os.getpid()}\n", encoding="utf-8")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        ring = Ring(folder / RECORD)
        try:
            _record(folder, ring)
        finally:
            ring.save()
    return 0


def _record(folder: Path, ring: Ring) -> None:
    recorder = Recorder(ring)
    began = heard = saved = following = time.monotonic()
    while following - heard < _GIVE_UP and (folder / PID).exists():
        totals = read_totals(folder / "haproxy.sock")
        began = time.monotonic()
        heard = began if totals is not None else heard
        recorder.take(began, time.time(), totals)
        if began - saved >= _SAVE_EVERY:
            ring.save()
            saved = began
        following = max(following + 1.0, began)
        time.sleep(max(0.0, following - time.monotonic()))


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
