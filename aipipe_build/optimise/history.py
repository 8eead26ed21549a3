"""How often each path of a context changed, and the commits that can be replayed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aipipe_core.change.git import run, top_of
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from pathlib import Path

_COMMITS = 500


def changes_of(context: Path) -> Counter[str]:
    """Return for each path below ``context`` how many of the last 500 commits changed it.

    Empty where there is no repository.
    """
    try:
        log = run(
            context, "log", f"-{_COMMITS}", "--first-parent", "-m", "--name-only", "--relative",
            "--format=", "-z", "--no-renames", "--", ".",
        )  # fmt: skip
    except AipipeError:
        return Counter()
    return Counter(path.strip("\n") for path in log.text.split("\0") if path.strip("\n"))


def last_commits(context: Path, count: int) -> list[str]:
    """Return the last ``count`` commits that touched ``context``, the oldest first."""
    try:
        log = run(context, "rev-list", "--first-parent", f"--max-count={count}", "HEAD", "--", ".")
    except AipipeError:
        return []
    return list(reversed(log.text.split()))


def repository_of(context: Path) -> tuple[Path, str] | None:
    """Return the repository that ``context`` lies in, and its path there; None for none."""
    try:
        top = top_of(context)
    except AipipeError:
        return None
    return top, context.resolve().relative_to(top.resolve()).as_posix()
