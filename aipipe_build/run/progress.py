"""Progress in the terminal: a line for each step that ends, the output of one that fails."""

from __future__ import annotations

import base64
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from aipipe_build.record.timings import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STEP = re.compile(r"^\[(?P<where>[^\]]*\d+/\d+)\] (?P<text>.*)$", re.DOTALL)
_KEPT_LINES = 30
_WIDTH = 72


@dataclass(slots=True)
class Progress:
    """Writes to ``out``; None for silence. ``verbose`` shows what every step prints."""

    out: TextIO | None
    mask: Callable[[str], str]
    verbose: bool = False
    _names: dict[str, str] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _logs: dict[str, deque[str]] = field(default_factory=dict)

    def take(self, document: Mapping[str, Any]) -> None:
        """Show what a document of the progress tells."""
        for log in document.get("logs") or ():
            self._log(log)
        for vertex in document.get("vertexes") or ():
            self._vertex(vertex)

    def _vertex(self, vertex: Mapping[str, Any]) -> None:
        digest = str(vertex.get("digest", ""))
        found = _STEP.match(str(vertex.get("name", "")))
        if not found or found["text"].startswith(("FROM ", "LINK ")):
            return
        error = str(vertex.get("error") or "")
        ended = bool(vertex.get("cached") or vertex.get("completed") or error)
        if not ended or digest in self._done:
            return
        seconds = seconds_of(vertex)
        # A vertex that is looked up in the cache "completes" at once and starts again.
        if seconds is not None and not error and not vertex.get("inputs"):
            return
        self._done.add(digest)
        how = "failed" if error else "cached" if vertex.get("cached") else f"{seconds or 0:.1f} s"
        self._say(f"[{found['where'].strip()}] {_cut(found['text']):{_WIDTH}} {how}")
        if error:
            for line in self._logs.get(digest, ()):
                self._say(f"    {line}")

    def _log(self, log: Mapping[str, Any]) -> None:
        try:
            data = base64.b64decode(log.get("data") or "")
        except ValueError:
            return
        digest = str(log.get("vertex", ""))
        kept = self._logs.setdefault(digest, deque(maxlen=_KEPT_LINES))
        for line in data.decode("utf-8", errors="replace").splitlines():
            kept.append(line)
            if self.verbose:
                self._say(f"    {line}")

    def _say(self, text: str) -> None:
        if self.out is not None:
            print(_plain(self.mask(text)), file=self.out, flush=True)


def _cut(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= _WIDTH else first[: _WIDTH - 3] + "..."


def _plain(text: str) -> str:
    """Drop control characters: what a build prints may not steer the terminal."""
    return "".join(char for char in text if char.isprintable() or char == "\t")
