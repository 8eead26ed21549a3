"""What a person sees of a run while it goes: one line at a time, each with its stage."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


class Terminal:
    """Lines on standard output; stages that run at once cannot break each other's."""

    def __init__(self, width: int = 0, stream: TextIO | None = None) -> None:
        self.width = width
        self.stream = stream
        self._lock = threading.Lock()

    def line(self, stage: str, text: str) -> None:
        """Show one line of a stage's output."""
        self._print(f"{stage:<{self.width}} | {_printable(text)}")

    def say(self, text: str) -> None:
        """Show a line of the run's own."""
        self._print("\n".join(map(_printable, text.split("\n"))))

    def _print(self, text: str) -> None:
        stream = self.stream or sys.stdout
        encoding = getattr(stream, "encoding", None) or "utf-8"
        # A reader that has gone must not stop a deploy half-way; the logs have everything.
        with self._lock, suppress(OSError, ValueError):
            print(
                text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True
            )


def _printable(text: str) -> str:
    """Return ``text`` without the controls that move the cursor; colours stay."""
    return "".join(c if c >= " " or c in "\t\x1b" else "�" for c in text)
