"""What git says about two ends: one raw record a path, and the patch text that goes with it.

One ``git diff`` gives both, so that an edit in between cannot make them disagree. Names come
from the NUL-separated raw part and never from the patch, where git quotes them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aipipe_core.change.git import run
from aipipe_core.change.scratch import scratch_index
from aipipe_core.change.spec import STAGED, WORKTREE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe_core.change.resolve import Ends

OPTIONS = (
    "--unified=0",
    "--inter-hunk-context=0",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-color-moved",
    "--no-relative",
    "--find-renames",
    "--find-copies",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--submodule=short",
    "--ignore-submodules=dirty",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    f"-O{os.devnull}",
)
"""Each one overrules a ``diff.*`` setting that would change the output's form."""

SYMBOLIC_LINK = 0o120000
SUBMODULE = 0o160000
_TYPE_BITS = 0o170000

_SECTION = re.compile(rb"^(?=diff --git )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One path that differs. A mode of 0 means that this side has no such file.

    ``old_blob`` and ``new_blob`` are object names, or None where git has none (a side that
    does not exist, a file of the working tree). ``patch`` is git's text for the new side.
    """

    path: str
    old_path: str | None
    status: str
    old_mode: int
    new_mode: int
    old_blob: str | None
    new_blob: str | None
    patch: bytes = b""

    @property
    def sections(self) -> int:
        """How many ``diff --git`` sections the patch has: a change of type has two."""
        if self.status == "U":
            return 0
        both = self.old_mode and self.new_mode
        return 2 if both and (self.old_mode ^ self.new_mode) & _TYPE_BITS else 1

    @property
    def mode(self) -> int:
        """The mode of the side that exists, the new one first."""
        return self.new_mode or self.old_mode

    @property
    def is_link(self) -> bool:
        """Whether it is now a symbolic link."""
        return self.mode & _TYPE_BITS == SYMBOLIC_LINK

    @property
    def is_submodule(self) -> bool:
        """Whether it is a submodule on either side."""
        return SUBMODULE in (self.old_mode & _TYPE_BITS, self.new_mode & _TYPE_BITS)

    @property
    def is_binary(self) -> bool:
        """Whether git refused to show it as text."""
        return bool(re.search(rb"^Binary files .* differ$", self.patch, re.MULTILINE))


def arguments(ends: Ends) -> list[str]:
    """Return the arguments of the ``git diff`` between two ends."""
    argv = ["diff", "--raw", "-z", "--patch", "--no-abbrev", "--full-index", *OPTIONS]
    if ends.head == STAGED:
        return [*argv, "--cached", ends.base, "--"]
    if ends.head == WORKTREE:
        return [*argv, ends.base, "--"]
    return [*argv, ends.base, ends.head, "--"]


def entries(top: Path, ends: Ends) -> list[Entry]:
    """Return every path that differs between the two ends, untracked files among them."""
    if ends.head != WORKTREE:
        return _entries(top, ends, {})
    with scratch_index(top) as environ:
        return _entries(top, ends, environ)


def _entries(top: Path, ends: Ends, environ: Mapping[str, str]) -> list[Entry]:
    found = parse(run(top, *arguments(ends), environ=environ).out)
    hidden = [entry for entry in found if _is_hidden_source(entry)]
    if not hidden:
        return found
    shown = {entry.path: entry for entry in _as_text(top, ends, environ, hidden)}
    return [shown.get(entry.path, entry) for entry in found]


def _is_hidden_source(entry: Entry) -> bool:
    """Whether an attribute (``*.py -diff``) keeps git from showing Python source."""
    return entry.is_binary and entry.path.endswith((".py", ".pyi", ".pyw"))


def _as_text(top: Path, ends: Ends, environ: Mapping[str, str], hidden: list[Entry]) -> list[Entry]:
    argv = arguments(ends)
    argv.insert(1, "--text")
    paths = [path for entry in hidden for path in (entry.path, entry.old_path) if path]
    shown = parse(run(top, *argv, *paths, environ=environ).out)
    return [entry for entry in shown if b"\0" not in entry.patch]


def parse(output: bytes) -> list[Entry]:
    """Return the entries of ``git diff --raw -z --patch`` output, each with its patch."""
    records, patch = _split(output)
    sections = [text for text in _SECTION.split(patch) if text.startswith(b"diff --git ")]
    result: list[Entry] = []
    position = 0
    for entry in records:
        end = position + entry.sections
        text = sections[end - 1] if entry.sections and end <= len(sections) else b""
        position = end
        result.append(replace(entry, patch=text))
    return result


def _split(output: bytes) -> tuple[list[Entry], bytes]:
    """Return the raw records and the patch text that follows them."""
    records: list[Entry] = []
    position = 0
    while output[position : position + 1] == b":":
        head, position = _field(output, position)
        letters = head.split(b" ")[4].decode("ascii")
        first, position = _field(output, position)
        second = None
        if letters[0] in "RC":
            second, position = _field(output, position)
        records.append(_record(head, first, second))
    return records, output[position:].lstrip(b"\0")


def _field(output: bytes, start: int) -> tuple[bytes, int]:
    end = output.index(b"\0", start)
    return output[start:end], end + 1


def _record(head: bytes, first: bytes, second: bytes | None) -> Entry:
    old_mode, new_mode, old_blob, new_blob, letters = head.decode("ascii").lstrip(":").split(" ")
    return Entry(
        path=os.fsdecode(first if second is None else second),
        old_path=None if second is None else os.fsdecode(first),
        status=letters[0],
        old_mode=int(old_mode, 8),
        new_mode=int(new_mode, 8),
        old_blob=old_blob if old_blob.strip("0") else None,
        new_blob=new_blob if new_blob.strip("0") else None,
    )
