"""A commit as the past sees it: who, when, why, and the changed lines of each file."""

from __future__ import annotations

from dataclasses import dataclass, field

FIRST_PARENT = 0


@dataclass(slots=True)
class HunkLines:
    """One hunk without context. Lines are bytes without their ends.

    ``old`` and ``new`` are 1-based starts; that of a side without lines is the line before.
    ``function`` is what git shows behind the second ``@@``.
    """

    old: int
    new: int
    function: bytes = b""
    removed: list[bytes] = field(default_factory=list)
    added: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class FilePatch:
    """One file of a commit; ``status`` is ``A``, ``M``, ``D`` or ``R``."""

    path: str
    status: str = "M"
    old_path: str = ""
    binary: bool = False
    hunks: list[HunkLines] = field(default_factory=list)

    @property
    def before(self) -> str:
        """The path on the old side."""
        return self.old_path or self.path


@dataclass(slots=True)
class PastCommit:
    """A commit; ``time`` is the committer's, in seconds, for that is when it came in.

    A merge has the changes against its first parent.
    """

    name: str
    parents: tuple[str, ...]
    time: int
    author: str
    message: str
    files: list[FilePatch] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]

    @property
    def is_merge(self) -> bool:
        """Whether it only joins what others wrote."""
        return len(self.parents) > 1
