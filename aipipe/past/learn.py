"""The walk of a repository, brought up to date: from what is kept, or from the beginning."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aipipe.past.keep import load, save
from aipipe.past.stream import stream
from aipipe.past.walk import Walk
from aipipe_core.change.git import run
from aipipe_core.change.resolve import is_shallow
from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDER = "past"


def learned(
    top: Path,
    head: str,
    home: Path,
    *,
    tell: Callable[[int], None] | None = None,
    write: bool = True,
) -> Walk:
    """Return the walk up to the commit ``head``; ``home`` is the repository's ``.aipipe``.

    ``tell`` hears the number of commits taken. Raises ``SurroundingsError``
    (``history-shallow``) where the history was cut off.
    """
    if is_shallow(top):
        raise SurroundingsError(
            "history-shallow",
            "The history of this clone was cut off, and half a history teaches wrong things",
            where=str(top),
            hint="Run: git fetch --unshallow (in CI: fetch-depth: 0).",
        )
    walk = load(home / FOLDER)
    if walk is not None and head in walk.numbers:
        return walk
    if walk is None or not _goes_on(top, walk, head):
        walk = Walk()
    _take(top, head, walk, tell)
    if write:
        save(walk, home / FOLDER)
    return walk


def _goes_on(top: Path, walk: Walk, head: str) -> bool:
    """Whether ``head`` is built on the walk, and each new commit on a tree that it still has."""
    if not walk.last or run(top, "cat-file", "-e", walk.last, check=False).code:
        return False
    if run(top, "merge-base", "--is-ancestor", walk.last, head, check=False).code:
        return False
    fresh = run(top, "rev-list", "--parents", head, f"^{walk.last}", "--").text.splitlines()
    names = {line.split()[0] for line in fresh}
    parents = {parent for line in fresh for parent in line.split()[1:]}
    return parents - names <= walk.trees.keys()


def _take(top: Path, head: str, walk: Walk, tell: Callable[[int], None] | None) -> None:
    since = (f"^{walk.last}",) if walk.last else ()
    listed = run(top, "rev-list", "--parents", head, *since, "--").text.splitlines()
    children = Counter(parent for line in listed for parent in line.split()[1:])
    for count, _ in enumerate(walk.take(stream(top, head, walk.last or None), children), 1):
        if tell and count % 1000 == 0:
            tell(count)
