"""The past of the touched files, from one ``git log``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe.risk.features import is_product
from aipipe_core.change.git import run
from aipipe_core.change.resolve import EMPTY_TREES, is_shallow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aipipe_core.change import Change

DAY = 86_400
RECENT = 90 * DAY
WINDOW = 2 * 365 * DAY
"""How far back fixes and authors count; older ones say little about today's code."""
MOST_COMMITS = 1000
MOST_PATHS = 500

_FIX = re.compile(r"\b(fix(e[sd])?|bug(fix)?s?|hot-?fix|revert(s|ed)?|regression)\b", re.IGNORECASE)
_FORMAT = "--format=%H%x1f%at%x1f%ae%x1f%s%x1e"


@dataclass(frozen=True, slots=True)
class History:
    """The past of a change's files, those of the product only: everybody edits the changelog.

    ``recent`` counts the commits of the 90 days before the base, ``fixes`` and ``authors``
    those of two years; ``age`` is in seconds since the files were last touched; ``experience``
    counts the commits that the change's author has before it.
    """

    recent: int
    fixes: int
    authors: int
    age: int | None
    experience: int | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the log."""

    name: str
    time: int
    author: str
    subject: str


def history_of(change: Change) -> History | None:
    """Return the past of the change's files; None where it is cut off or not yet begun."""
    if change.base in EMPTY_TREES or is_shallow(change.root):
        return None
    known = (file for file in change.files if file.status != "A" and is_product(file))
    paths = [file.old_path or file.path for file in known]
    now = _time_of(change.root, change.base)
    commits = log(change.root, change.base, paths[:MOST_PATHS], now) if paths else []
    return History(
        recent=sum(1 for commit in commits if now - commit.time <= RECENT),
        fixes=sum(1 for commit in commits if _FIX.search(commit.subject)),
        authors=len({commit.author for commit in commits}),
        age=_age(change, paths, now),
        experience=_experience(change),
    )


def log(top: Path, base: str, paths: Sequence[str], now: int) -> list[Commit]:
    """Return the newest commits up to ``base`` that touched one of ``paths``."""
    since = f"--since={now - WINDOW}"
    limits = ("--no-merges", f"--max-count={MOST_COMMITS}", since)
    argv = ("log", "--no-show-signature", "--encoding=UTF-8", *limits, _FORMAT, base)
    return parse(run(top, *argv, "--", *paths).out)


def parse(output: bytes) -> list[Commit]:
    """Return the commits in the log's output."""
    found = []
    for record in output.decode("utf-8", "replace").split("\x1e"):
        fields = record.strip("\n").split("\x1f", 3)
        if len(fields) == 4:  # noqa: PLR2004 - the fields of the format
            name, time, author, subject = fields
            found.append(Commit(name, int(time), author.lower(), subject))
    return found


def _time_of(top: Path, revision: str) -> int:
    return int(run(top, "log", "-1", "--no-show-signature", "--format=%at", revision, "--").text)


def _age(change: Change, paths: Sequence[str], now: int) -> int | None:
    """Return how long before the change's own time its files were last touched."""
    if not paths:
        return None
    argv = ("log", "-1", "--no-show-signature", "--format=%at", change.base, "--")
    last = run(change.root, *argv, *paths[:MOST_PATHS]).text
    head = "HEAD" if change.head in ("staged", "worktree") else change.head
    until = max(now, _time_of(change.root, head))
    return max(0, until - int(last)) if last else None


def _experience(change: Change) -> int | None:
    """Return the author's commits before the change: of its last commit, or of the user."""
    if change.head in ("staged", "worktree"):
        author = run(change.root, "config", "user.email", check=False).text
    else:
        argv = ("log", "-1", "--no-show-signature", "--format=%ae", change.head, "--")
        author = run(change.root, *argv).text
    if not author:
        return None
    limits = ("--count", "--max-count=100", "--fixed-strings", f"--author=<{author}>")
    return int(run(change.root, "rev-list", *limits, change.base, "--").text)


def fixes_by_path(change: Change) -> dict[str, int]:
    """Return how many of the newest commits to each changed file mended something."""
    paths = [file.old_path or file.path for file in change.files if file.status != "A"]
    if change.base in EMPTY_TREES or not paths:
        return {}
    limits = ("--no-merges", f"--max-count={MOST_COMMITS}", "--name-only", "-z")
    argv = ("log", "--no-show-signature", "--encoding=UTF-8", *limits, "--format=%x1e%s%x1f")
    out = run(change.root, *argv, change.base, "--", *paths[:MOST_PATHS]).out
    found: dict[str, int] = {}
    for record in out.decode("utf-8", "surrogateescape").split("\x1e"):
        subject, _, names = record.partition("\x1f")
        if _FIX.search(subject):
            for name in names.strip("\0\n").split("\0"):
                found[name.strip("\n")] = found.get(name.strip("\n"), 0) + 1
    return found
