"""Parser directives: ``# syntax=`` and ``# escape=`` at the top of a Dockerfile."""

from __future__ import annotations

import json
import re

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.model import Directive

# "check" is known to later frontends only; an earlier one ends its directives there, and as
# nothing that matters may follow it, reading on is safe.
_KNOWN = frozenset({"syntax", "escape", "check"})


class DirectiveReader:
    """Reads directives line by line until the first line that is none."""

    def __init__(self, comment: str = "#") -> None:
        self._line = 0
        self._seen: set[str] = set()
        self._pattern = re.compile(
            rf"^{re.escape(comment)}\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$"
        )
        self.done = False

    def read(self, line: str) -> Directive | None:
        """Return the directive on ``line``, if it is one that may stand there."""
        self._line += 1
        if self.done:
            return None
        found = self._pattern.match(line)
        name = found[1].lower() if found else ""
        if not found or name not in _KNOWN:
            self.done = True
            return None
        if name in self._seen:
            raise DockerfileError(f"only one {name} parser directive can be used", line=self._line)
        self._seen.add(name)
        return Directive(name, found[2], self._line)


def detect_syntax(text: str) -> str:
    """Return the frontend image that ``text`` asks for, or ``""``.

    ``# syntax=``, ``// syntax=`` and a JSON document with that key count, after an optional
    shebang line; what follows a space belongs to the frontend's arguments.
    """
    if text.startswith("#!"):
        text = text.partition("\n")[2]
    for comment in ("#", "//"):
        reader = DirectiveReader(comment)
        for line in text.splitlines():
            try:
                directive = reader.read(line)
            except DockerfileError:
                break
            if reader.done:
                break
            if directive and directive.name == "syntax":
                return directive.value.partition(" ")[0]
    return _json_syntax(text)


def _json_syntax(text: str) -> str:
    if not text.lstrip().startswith("{"):
        return ""
    try:
        document = json.loads(text)
    except ValueError:
        return ""
    value = document.get("syntax") if isinstance(document, dict) else ""
    return value if isinstance(value, str) else ""
