"""What a change shows about its risk: measured values, without judgement.

The measures are those of just-in-time defect prediction (Kamei et al., "A Large-Scale
Empirical Study of Just-in-Time Quality Assurance", IEEE TSE 2013): size, diffusion, purpose,
history, experience.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe_core.change import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aipipe.risk.history import History
    from aipipe_core.change import Change, FileChange

DAY = 86_400

_REPAIR = re.compile(r"\b(hot-?fix|fix(e[sd])?|bugs?|revert(s|ed)?|regression)\b", re.IGNORECASE)

_WORDS = {
    Kind.MIGRATION: "a database migration, which cannot always be undone",
    Kind.AUTHENTICATION: "authentication or permissions",
    Kind.DEPENDENCIES: "dependencies",
    Kind.CONFIGURATION: "configuration",
    Kind.DOCKER: "how the image is built or started",
    Kind.CI: "the CI pipeline",
    Kind.GENERATED: "generated files",
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One measure: its name, its value, and what it says in words."""

    name: str
    value: float
    text: str


def measure(change: Change, history: History | None) -> list[Feature]:
    """Return every feature that the change shows; one that does not apply is left out.

    ``history`` is None where the repository has none or where it was cut off.
    """
    found = [*_of_size(change), *_of_kinds(change), *_of_purpose(change)]
    return found + (list(_of_history(history)) if history else [])


def is_product(file: FileChange) -> bool:
    """Whether the file can change what runs in production."""
    return not file.kinds <= {Kind.DOCS, Kind.TESTS, Kind.OTHER}


def size_of(file: FileChange) -> int:
    """Return the number of removed and added lines."""
    return sum(len(hunk.removed) + len(hunk.added) for hunk in file.hunks)


def counted(number: int, one: str, many: str = "") -> str:
    """Return ``number`` with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _of_size(change: Change) -> Iterator[Feature]:
    files = [f for f in change.files if is_product(f) and Kind.GENERATED not in f.kinds]
    sizes = [size_of(file) for file in files]
    if sum(sizes):
        text = f"{counted(sum(sizes), 'line')} of the product changed"
        yield Feature("lines", sum(sizes), text)
    if len(files) > 1:
        folders = {str(PurePosixPath(file.path).parent) for file in files}
        where = counted(len(folders), "folder")
        yield Feature("files", len(files), f"spread over {len(files)} files in {where}")
        yield from _entropy(sizes)
    unread = sum(1 for file in files if file.error)
    if unread:
        text = f"{counted(unread, 'changed file')} cannot be parsed"
        yield Feature("unparsable", unread, text)


def _entropy(sizes: Sequence[int]) -> Iterator[Feature]:
    """Yield how evenly the change is spread, in bits (Hassan, ICSE 2009)."""
    shares = [size / sum(sizes) for size in sizes if size]
    bits = -sum(share * math.log2(share) for share in shares)
    if bits > 1:
        yield Feature("entropy", round(bits, 3), "no single file is the heart of the change")


def _of_kinds(change: Change) -> Iterator[Feature]:
    kinds = {kind for file in change.files for kind in file.kinds}
    for kind, words in _WORDS.items():
        if kind in kinds:
            count = sum(1 for file in change.files if kind in file.kinds)
            yield Feature(str(kind), count, f"touches {words}")
    if change.files and not any(is_product(file) for file in change.files):
        only = "documentation" if kinds <= {Kind.DOCS} else "documentation, tests or data"
        name = "docs only" if kinds <= {Kind.DOCS} else "nothing shipped"
        yield Feature(name, 1, f"only {only} changed")
    if Kind.CODE in kinds and Kind.TESTS in kinds:
        yield Feature("tests changed", 1, "tests changed along with the code")
    elif Kind.CODE in kinds:
        yield Feature("no tests changed", 1, "code changed and no test did")


def _of_purpose(change: Change) -> Iterator[Feature]:
    subjects = "\n".join(text.split("\n")[0] for text in change.message.split("\n\n"))
    if _REPAIR.search(subjects):
        yield Feature("repair", 1, "it mends something, and mends need mending more often")


def _of_history(history: History) -> Iterator[Feature]:
    if history.recent:
        text = f"{counted(history.recent, 'commit')} to these files in the 90 days before"
        yield Feature("churn", history.recent, text)
    if history.fixes:
        text = f"{counted(history.fixes, 'past fix', 'past fixes')} in these files"
        yield Feature("past fixes", history.fixes, text)
    if history.authors > 1:
        yield Feature("authors", history.authors, f"{history.authors} people changed these files")
    if history.age is not None and history.age > 365 * DAY:
        years = history.age / (365 * DAY)
        yield Feature("age", round(years, 2), f"untouched for {years:.1f} years")
    if history.experience is not None and history.experience < NEWCOMER:
        text = f"its author has {counted(history.experience, 'commit')} here so far"
        yield Feature("new author", history.experience, text)


NEWCOMER = 5
"""Commits below which an author is still getting to know the project."""
