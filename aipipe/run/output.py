"""A stage's output: shown as it comes, kept whole up to a bound, and bounded beyond it.

Of a stage that prints more than ``HEAD + TAIL`` bytes the first and the last part are kept,
with a line in between that says how much is missing.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 4_000_000
TAIL = 2_000_000
LIVE = 1_000_000
"""Bytes of one stage that are shown; a terminal that scrolls for minutes tells nobody anything."""
LONGEST_LINE = 2_000


class Screen(Protocol):
    """Where a person reads along."""

    def line(self, stage: str, text: str) -> None:
        """Show one line of a stage's output."""


class Output:
    """Keeps what one stage prints, in ``path``, and shows it on ``screen``.

    Attempts follow each other in the same file. ``close`` writes the end that was held back.
    """

    def __init__(self, stage: str, path: Path, screen: Screen) -> None:
        self.stage = stage
        self.screen = screen
        self.seen = 0
        self.left_out = 0
        self._file: BinaryIO = path.open("wb")
        self._lock = threading.Lock()
        self._tail: deque[bytes] = deque()
        self._held = 0
        self._shown = 0
        self._line = b""

    def write(self, data: bytes) -> None:
        """Take ``data`` as the stage printed it; after ``close`` it is dropped."""
        with self._lock:
            if self._file.closed:
                return
            self._keep(data)
            self._show(data)
            self.seen += len(data)

    def note(self, text: str) -> None:
        """Put a line of ours among the stage's own."""
        self.end_line()
        self.write(f"[aipipe] {text}\n".encode("utf-8", "backslashreplace"))

    def end_line(self) -> None:
        """Show a last line that the stage did not end."""
        if self._line:
            self.write(b"\n")

    def close(self) -> None:
        """Write what was held back, and close the file."""
        with self._lock:
            if self._line:
                self._print(self._line)
                self._line = b""
            if self.left_out:
                text = f"\n[aipipe] {self.left_out:,} bytes of output are left out here\n"
                self._file.write(text.encode("ascii"))
            for part in self._tail:
                self._file.write(part)
            self._tail.clear()
            self._file.close()

    def _keep(self, data: bytes) -> None:
        room = HEAD - self.seen
        if room > 0:
            self._file.write(data[:room])
            self._file.flush()
            data = data[room:]
        if not data:
            return
        self._tail.append(data)
        self._held += len(data)
        while self._held - len(self._tail[0]) >= TAIL:
            gone = len(self._tail.popleft())
            self._held -= gone
            self.left_out += gone

    def _show(self, data: bytes) -> None:
        if self._shown > LIVE:
            return
        *lines, rest = (self._line + data).split(b"\n")
        for line in lines:
            self._print(line)
            if self._shown > LIVE:
                self.screen.line(self.stage, "... (not shown any further; the log keeps the end)")
                self._line = b""
                return
        if len(rest) > LONGEST_LINE:
            self._print(rest)
            rest = b""
        self._line = rest

    def _print(self, line: bytes) -> None:
        self._shown += len(line) + 1
        text = line.rstrip(b"\r")[:LONGEST_LINE].decode("utf-8", "replace")
        self.screen.line(self.stage, text)
