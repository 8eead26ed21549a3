"""What a user asks to compare: the SPEC of ``--ai-diff`` and ``aipipe analyze``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from aipipe_core.errors import RequestError

STAGED = "staged"
WORKTREE = "worktree"


class Mode(StrEnum):
    """How base and head are found."""

    DEFAULT = "default"
    """Merge base with the default branch, to the working tree."""
    SINCE = "since"
    """A revision, to the working tree."""
    RANGE = "range"
    """``A..B``: from A to B."""
    MERGE_BASE = "merge base"
    """``A...B``: from the merge base of A and B, to B."""
    STAGED = "staged"
    """HEAD to the index."""
    WORKTREE = "worktree"
    """HEAD to the working tree."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A parsed SPEC; ``old`` and ``new`` are revisions as the user wrote them."""

    mode: Mode
    old: str = "HEAD"
    new: str = ""


def parse_spec(text: str | None) -> Spec:
    """Return what ``text`` asks for; ``RequestError`` (``bad-spec``) where it asks nothing."""
    if text is None or not text.strip():
        return Spec(Mode.DEFAULT)
    text = text.strip()
    if text in (STAGED, WORKTREE):
        return Spec(Mode(text))
    if text.startswith("-"):
        raise _bad(text, "a revision cannot begin with a dash")
    if any(ord(character) < ord(" ") for character in text):
        raise _bad(text, "it holds a control character")
    if "^{/" in text or text.startswith(":/"):
        return Spec(Mode.SINCE, text)  # a search by message, whose text may hold dots
    return _revision_or_range(text)


def _revision_or_range(text: str) -> Spec:
    dots = re.findall(r"\.{2,}", text)
    if not dots:
        return Spec(Mode.SINCE, text)
    if len(dots) > 1 or len(dots[0]) not in (2, 3):
        raise _bad(text, "a range has its two or three dots once")
    old, new = text.split(dots[0])
    if not old and not new:
        raise _bad(text, "a range needs a revision on at least one side")
    mode = Mode.RANGE if len(dots[0]) == len("..") else Mode.MERGE_BASE
    if new.startswith("-"):
        raise _bad(text, "a revision cannot begin with a dash")
    return Spec(mode, old or "HEAD", new or "HEAD")


def _bad(text: str, why: str) -> RequestError:
    return RequestError(
        "bad-spec",
        f"{text!r} names no change: {why}",
        hint="Use REV, A..B, A...B, staged or worktree.",
    )
