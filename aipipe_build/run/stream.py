"""BuildKit's raw progress while it is still being written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class DocumentStream:
    """Tells JSON documents from plain words, line by line.

    buildx 0.13 spreads a document over many lines, later ones print one a line; what it says
    beside them (errors, warnings) is plain text.
    """

    words: list[str] = field(default_factory=list)
    """The lines that belong to no document."""
    _open: list[str] = field(default_factory=list)

    def feed(self, line: str) -> dict[str, Any] | None:
        """Take one line; return the document that it completes, None where it completes none."""
        if not self._open and not line.startswith("{"):
            if line.strip():
                self.words.append(line.rstrip())
            return None
        self._open.append(line)
        if not line.rstrip().endswith("}") or line.startswith((" ", "\t")):
            return None
        try:
            document = json.loads("".join(self._open))
        except ValueError:
            self._give_up(line)
            return None
        self._open.clear()
        return document if isinstance(document, dict) else None

    def _give_up(self, line: str) -> None:
        # A brace in column 0 ends every document: what is none by then never becomes one.
        if line.rstrip() == "}":
            self.words += [one.rstrip() for one in self._open]
            self._open.clear()
