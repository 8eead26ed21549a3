"""Logical lines: continuations joined, comments and blank lines dropped, source kept."""

from __future__ import annotations

import re

from aipipe_build.dockerfile.directives import DirectiveReader
from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.text import SPACES
from aipipe_build.light import field, light

BOM = "\ufeff"


@light()
class LogicalLine:
    """A line as the parser sees it. ``start`` and ``end`` are 1-based physical lines."""

    text: str
    start: int
    end: int
    leading: str


@light()
class LineReader:
    """Yields the logical lines of a Dockerfile and lets here-documents take raw ones."""

    text: str
    escape: str = "\\"
    bom: str = ""
    _lines: list[str] = field(default_factory=list)
    _at: int = 0
    _taken: int = 0
    _directives: DirectiveReader = field(default_factory=DirectiveReader)

    def __post_init__(self) -> None:
        if self.text.startswith(BOM):
            self.bom = BOM
            self.text = self.text[1:]
        self._lines = [line for line in re.split(r"(?<=\n)", self.text) if line]

    def next(self) -> LogicalLine | None:
        """Return the next logical line, or None at the end."""
        while self._at < len(self._lines):
            start = self._at
            line, ended = self._piece(strip=True)
            if ended and not line:
                continue
            while not ended and self._at < len(self._lines):
                raw = self._lines[self._at]
                piece, ends = self._piece(strip=False)
                # Comments and blank lines inside a continuation neither count nor end it.
                if raw.strip("\r\n").lstrip(SPACES)[:1] in ("#", ""):
                    continue
                line += piece
                ended = ends
            leading = "".join(self._lines[self._taken : start])
            return LogicalLine(line, start + 1, self._at, leading)
        return None

    def heredoc(self, name: str, *, chomp: bool, start: int) -> str:
        """Take raw lines up to the one that says ``name``; return what stood before it."""
        content: list[str] = []
        while self._at < len(self._lines):
            raw = self._lines[self._at]
            self._at += 1
            candidate = raw.rstrip("\r\n")
            if (candidate.lstrip("\t") if chomp else candidate) == name:
                return "".join(content)
            content.append(raw)
        raise DockerfileError(f"unterminated heredoc {name}", line=start)

    def take_source(self, line: LogicalLine) -> tuple[str, int]:
        """Return the source text from ``line`` to here, and the last line's number."""
        self._taken = self._at
        return "".join(self._lines[line.start - 1 : self._at]), self._at

    def trailing(self) -> str:
        """Return what follows the last instruction."""
        return "".join(self._lines[self._taken :])

    def _piece(self, *, strip: bool) -> tuple[str, bool]:
        """Read one physical line: its text, and whether the logical line ends with it."""
        line = self._lines[self._at].rstrip("\r\n")
        self._at += 1
        if strip:
            line = line.lstrip(SPACES)
        directive = self._directives.read(line)
        if directive and directive.name == "escape":
            if directive.value not in ("\\", "`"):
                raise DockerfileError(
                    f"invalid escape token {directive.value!r}", line=directive.line
                )
            self.escape = directive.value
        if line.startswith("#"):
            line = ""
        return self._continued(line)

    def _continued(self, line: str) -> tuple[str, bool]:
        """Cut a continuation mark: the escape, not itself escaped, before trailing blanks."""
        bare = line.rstrip(" \t")
        if not bare.endswith(self.escape) or bare.endswith(self.escape * 2):
            return line, True
        return bare[:-1], False
