"""All commits up to a revision in one ``git log``, parents before children, oldest first.

One process and one pass: ten thousand commits are read in seconds and never held at once.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING

from aipipe.past.commit import FilePatch, HunkLines, PastCommit
from aipipe_core.change.git import OWN_VARIABLES, command, failure, is_foreign
from aipipe_core.change.git import Output as GitOutput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

RECORD = b"\x1e\x01commit\x1f"
"""Begins a commit; no line of a diff does, for those begin with a sign."""
_FORMAT = "--format=%x1e%x01commit%x1f%H%x1f%P%x1f%ct%x1f%ae%x1f%B%x1f"
OPTIONS = (
    "--reverse",
    "--date-order",
    "--diff-merges=first-parent",
    "--patch",
    "--unified=0",
    "--inter-hunk-context=0",
    "--find-renames",
    "-l400",  # a sweeping move must not cost minutes; unpaired files count as new ones
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--no-show-signature",
    "--diff-algorithm=myers",
    "--ignore-submodules=all",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--encoding=UTF-8",
)
MOST_LINES = 20_000
"""Changed lines of one commit that are read of one file; such a file is data or was moved."""

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_ESCAPE = re.compile(rb'\\([abfnrtv"\\]|[0-7]{3})')
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def stream(top: Path, head: str, since: str | None = None) -> Iterator[PastCommit]:
    """Yield the commits that ``head`` has and ``since`` has not.

    Raises ``SurroundingsError`` (``git-failed``, ...) where git refuses.
    """
    arguments = ("log", *OPTIONS, _FORMAT, head, *((f"^{since}",) if since else ()), "--")
    clean = {name: value for name, value in os.environ.items() if not is_foreign(name)}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command("-c", "core.quotePath=false", *arguments),
            cwd=top,
            env={**clean, **OWN_VARIABLES},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            assert process.stdout is not None  # noqa: S101 - opened as a pipe above
            yield from parse(process.stdout)
            process.stdout.close()
            if process.wait():
                raise _failure(top, arguments, process.returncode, errors)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _failure(top: Path, arguments: tuple[str, ...], code: int, errors: IO[bytes]) -> Exception:
    errors.seek(0)
    said = errors.read().decode("utf-8", "replace")
    return failure(top, arguments, GitOutput(code, b"", said))


def parse(lines: Iterable[bytes]) -> Iterator[PastCommit]:
    """Yield the commits in the output of ``git log`` with ``OPTIONS`` and the format."""
    reader = _Reader()
    for line in lines:
        if line.startswith(RECORD):
            if reader.commit:
                yield reader.commit
            reader.begin(line)
        else:
            reader.line(line)
    if reader.commit:
        yield reader.commit


class _Reader:
    """Takes the lines of one commit after the other."""

    def __init__(self) -> None:
        self.commit: PastCommit | None = None
        self.head = b""
        self.in_head = False
        self.file: FilePatch | None = None
        self.hunk: HunkLines | None = None
        self.left_old = self.left_new = self.seen = 0

    def begin(self, line: bytes) -> None:
        self.file = self.hunk = None
        self.left_old = self.left_new = 0
        self.in_head, self.head = True, b""
        self._head(line)

    def _head(self, line: bytes) -> None:
        """Gather the lines of the message until the one that closes it."""
        self.head += line
        if self.head.count(b"\x1f") < 6 or not self.head.endswith(b"\x1f\n"):  # noqa: PLR2004
            return
        self.in_head = False
        text = self.head.decode("utf-8", "replace")
        _, name, parents, time, author, message = text.split("\x1f", 5)
        self.commit = PastCommit(
            name,
            tuple(parents.split()),
            int(time),
            author.strip().lower(),
            message.rstrip("\x1f\n"),
        )

    def line(self, line: bytes) -> None:
        if self.left_old or self.left_new:
            self._changed(line)
        elif self.in_head:
            self._head(line)
        elif line.startswith(b"@@ "):
            self._hunk(line)
        else:
            self._header(line)

    def _changed(self, line: bytes) -> None:
        hunk, sign = self.hunk, line[:1]
        assert hunk is not None  # noqa: S101 - set before lines are awaited
        self.seen += 1
        if sign == b"-":
            self.left_old -= 1
            if self.seen <= MOST_LINES:
                hunk.removed.append(line[1:].rstrip(b"\r\n"))
        elif sign == b"+":
            self.left_new -= 1
            if self.seen <= MOST_LINES:
                hunk.added.append(line[1:].rstrip(b"\r\n"))

    def _hunk(self, line: bytes) -> None:
        match = _HUNK.match(line)
        if not match or self.file is None:
            return
        self.left_old = int(match[2]) if match[2] is not None else 1
        self.left_new = int(match[4]) if match[4] is not None else 1
        self.hunk = HunkLines(int(match[1]), int(match[3]), match[5].strip())
        self.file.hunks.append(self.hunk)

    def _header(self, line: bytes) -> None:
        if line.startswith(b"diff --git "):
            self.file = FilePatch(_both(line[11:].rstrip(b"\n")))
            self.seen = 0
            if self.commit:
                self.commit.files.append(self.file)
            return
        file = self.file
        if file is None:
            return
        word, _, rest = line.rstrip(b"\n").partition(b" ")
        if word == (b"---" if file.status == "D" else b"+++") and rest != b"/dev/null":
            file.path = _name(rest)[2:]
        elif line.startswith(b"rename from "):
            file.old_path, file.status = _name(line[12:]), "R"
        elif line.startswith(b"rename to "):
            file.path = _name(line[10:])
        elif line.startswith(b"new file mode "):
            file.status = "A"
        elif line.startswith(b"deleted file mode "):
            file.status = "D"
        elif line.startswith((b"Binary files ", b"GIT binary patch")):
            file.binary = True


def _both(names: bytes) -> str:
    """Return the path of ``a/x b/x``, for a file that nothing else in its header names."""
    if names.startswith(b'"'):
        return _name(names[: names.find(b'" ', 1) + 1])[2:]
    half = names[: len(names) // 2]
    return os.fsdecode(half[2:])


def _name(raw: bytes) -> str:
    """Return the path in a header line, which git quotes where it holds odd characters."""
    raw = raw.rstrip(b"\n").removesuffix(b"\t").rstrip(b"\r")
    if raw.startswith(b'"') and raw.endswith(b'"'):
        raw = _ESCAPE.sub(_unescaped, raw[1:-1])
    return os.fsdecode(raw)


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if len(code) == 3:  # noqa: PLR2004 - octal digits
        return bytes([int(code, 8) & 0xFF])
    return _LETTERS.get(code, b"\v" if code == b"v" else code)
