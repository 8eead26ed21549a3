r"""From git's patch text to hunks, and the numbering of lines.

Git ends a line at ``\n``. Python's tokenizer, and with it coverage.py, also ends one at a
lone ``\r``; neither ends one at a form feed, ``\x1c`` or ``\u2028``, as
``str.splitlines`` would.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.change.diff import OPTIONS
from aipipe_core.change.git import failure, run
from aipipe_core.change.model import Hunk

if TYPE_CHECKING:
    from collections.abc import Iterable

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_LONE_RETURN = re.compile(rb"\r(?!\n)")


def lines_of(text: str) -> list[str]:
    """Return the lines of ``text`` as Python's tokenizer counts them, without their ends."""
    lines = re.split(r"\r\n|\r|\n", text)
    return lines[:-1] if lines[-1] == "" else lines


def has_lone_return(content: bytes) -> bool:
    """Whether Python counts more lines in ``content`` than git does."""
    return _LONE_RETURN.search(content) is not None


def hunks_of(patch: bytes, encoding: str = "utf-8") -> tuple[Hunk, ...]:
    """Return the hunks of one file's section of ``git diff --unified=0``.

    Lines are decoded with ``encoding``; what it cannot decode is kept as surrogate escapes.
    Their ends are cut off.
    """
    start = patch.find(b"\n@@ ")
    if start < 0:
        return ()
    body = [_decoded(line, encoding) for line in patch[start + 1 :].split(b"\n")]
    if body and body[-1] == "":
        body.pop()
    return tuple(_parsed(body))


def _decoded(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return line.decode("utf-8", "surrogateescape")


def _parsed(body: list[str]) -> list[Hunk]:
    """Parse with unidiff, and by hand what unidiff refuses: without context it is simple."""
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    text = ["--- a/old\n", "+++ b/new\n", *(f"{line}\n" for line in body)]
    try:
        parsed = PatchSet(text)
    except UnidiffParseError:
        return _by_hand(body)
    return [
        Hunk(
            hunk.source_start,
            hunk.target_start,
            tuple(_bare(line.value) for line in hunk if line.is_removed),
            tuple(_bare(line.value) for line in hunk if line.is_added),
        )
        for file in parsed
        for hunk in file
    ]


def _bare(value: str) -> str:
    return value.removesuffix("\n").removesuffix("\r")


def _by_hand(body: Iterable[str]) -> list[Hunk]:
    starts: list[tuple[int, int]] = []
    sides: dict[str, list[list[str]]] = {"-": [], "+": []}
    for line in body:
        match = _HUNK.match(line)
        if match:
            starts.append((int(match[1]), int(match[3])))
            sides["-"].append([])
            sides["+"].append([])
        elif starts and line[:1] in sides:
            sides[line[0]][-1].append(_bare(line[1:]))
    return [
        Hunk(old, new, tuple(removed), tuple(added))
        for (old, new), removed, added in zip(starts, sides["-"], sides["+"], strict=True)
    ]


def hunks_between(top: Path, old: bytes, new: bytes, encoding: str = "utf-8") -> tuple[Hunk, ...]:
    """Return the hunks between two contents whose lines are ended as Python ends them."""
    with tempfile.TemporaryDirectory(prefix="aipipe-lines-") as folder:
        sides = []
        for name, content in (("old", old), ("new", new)):
            path = Path(folder, name)
            path.write_bytes(re.sub(rb"\r\n?", b"\n", content))
            sides.append(str(path))
        arguments = ("diff", "--no-index", "--text", "--patch", *OPTIONS, "--", *sides)
        output = run(top, *arguments, check=False)
    if output.code not in (0, 1):
        raise failure(top, arguments, output)
    return hunks_of(output.out, encoding)
