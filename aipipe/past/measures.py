"""The measures of a commit, from its lines and from what was known when it was made.

The families are those of Kamei et al. (IEEE TSE 2013) -- size, diffusion, purpose, history,
experience -- counted over the lines that carry behaviour, with the age of the touched lines
(Rosen et al., Commit Guru) and the past of files and authors as it was known at the time.
Counts and times are logarithms, so that twice as much is one step more.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe.past.code import branches, carries, is_product_code, kinds, moved_marks, public_name
from aipipe.past.memory import DAY, RECENT, FilePast, folder_of
from aipipe.past.origins import EMPTY, UNKNOWN, mark, neighbours, removed_origins
from aipipe.past.purpose import is_bot, purpose_of
from aipipe_core.change import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aipipe.past.commit import FilePatch, PastCommit
    from aipipe.past.memory import Memory
    from aipipe.past.origins import Lines

_CONCURRENT = re.compile(
    rb"\b(?:async|await|asyncio|threading|thread|lock|mutex|semaphore|multiprocessing|"
    rb"concurrent|gevent|eventlet|goroutine|atomic|synchronized|signal)\b",
    re.IGNORECASE,
)
_MONEY = re.compile(rb"\b(?:payment|invoice|billing|checkout|stripe|paypal|refund)", re.IGNORECASE)
_RAISES = re.compile(rb"\b(?:raise|except|throw|catch|try)\b")
_KINDS = (
    Kind.MIGRATION, Kind.AUTHENTICATION, Kind.DEPENDENCIES, Kind.CONFIGURATION, Kind.DOCKER,
    Kind.CI, Kind.TESTS, Kind.DOCS,
)  # fmt: skip
NEW = 4000 * DAY


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before a commit: the lines' origins, the counts, and each commit's own.

    ``times``, ``writers`` and ``faulty`` are by the commits' numbers; ``faulty`` holds those
    that a fix has shown to be faulty by now.
    """

    tree: Mapping[str, Lines]
    memory: Memory
    times: Sequence[float]
    writers: Sequence[str]
    faulty: set[int] | frozenset[int]


@dataclass(slots=True)
class Parts:
    """A commit taken apart: what was counted over its product's files."""

    added: int = 0
    removed: int = 0
    moved: int = 0
    comments: int = 0
    hunks: int = 0
    branches_added: int = 0
    branches_removed: int = 0
    public_added: int = 0
    public_changed: int = 0
    raises: int = 0
    concurrent: int = 0
    money: int = 0
    longest: int = 0
    functions: set[tuple[str, bytes]] = field(default_factory=set)
    sizes: list[int] = field(default_factory=list)


def measure(commit: PastCommit, known: Known) -> dict[str, float]:
    """Return every measure of the commit by name; the names are always the same."""
    product = [file for file in commit.files if is_product_code(file.path)]
    parts = _parts(product)
    return {
        **_of_size(commit, product, parts),
        **_of_code(product, parts),
        **_of_kinds(commit),
        **_of_purpose(commit),
        **_of_files(commit, product, parts, known),
        **_of_lines(commit, product, known),
        **_of_people(commit, product, known),
        **_of_project(commit, known),
    }


def product_lines(commit: PastCommit) -> int:
    """Return how many added lines of the commit carry behaviour."""
    return _parts([file for file in commit.files if is_product_code(file.path)]).added


def _parts(product: Sequence[FilePatch]) -> Parts:
    parts, moved = Parts(), moved_marks(product)
    for file in product:
        size = 0
        for hunk in file.hunks:
            parts.hunks += 1
            parts.longest = max(parts.longest, len(hunk.added))
            parts.functions.add((file.path, hunk.function))
            size += _count(hunk.added, moved, parts, is_added=True)
            size += _count(hunk.removed, moved, parts, is_added=False)
            _count_names(hunk.added, hunk.removed, parts)
        parts.sizes.append(size)
    return parts


def _count(lines: Iterable[bytes], moved: frozenset[int], parts: Parts, *, is_added: bool) -> int:
    count = 0
    for line in lines:
        if not carries(line):
            parts.comments += 1
        elif mark(line) in moved:
            parts.moved += 1
        else:
            count += 1
            if is_added:
                parts.branches_added += branches(line)
                parts.raises += bool(_RAISES.search(line))
                parts.concurrent += bool(_CONCURRENT.search(line))
                parts.money += bool(_MONEY.search(line))
            else:
                parts.branches_removed += branches(line)
    if is_added:
        parts.added += count
    else:
        parts.removed += count
    return count


def _count_names(added: Iterable[bytes], removed: Iterable[bytes], parts: Parts) -> None:
    new = {name for line in added if (name := public_name(line))}
    old = {name for line in removed if (name := public_name(line))}
    parts.public_added += len(new - old)
    parts.public_changed += len(old)


def _log(value: float) -> float:
    return math.log1p(max(0.0, value))


def _entropy(sizes: Sequence[int]) -> float:
    """Return how evenly the change is spread, in bits (Hassan, ICSE 2009)."""
    total = sum(sizes)
    shares = [size / total for size in sizes if size] if total else []
    return -sum(share * math.log2(share) for share in shares)


def _of_size(commit: PastCommit, product: Sequence[FilePatch], parts: Parts) -> dict[str, float]:
    every = [hunk for file in commit.files for hunk in file.hunks]
    tests = sum(
        len(hunk.added)
        for file in commit.files
        if Kind.TESTS in kinds(file.path)
        for hunk in file.hunks
    )
    return {
        "lines_added": _log(sum(len(hunk.added) for hunk in every)),
        "lines_removed": _log(sum(len(hunk.removed) for hunk in every)),
        "code_added": _log(parts.added),
        "code_removed": _log(parts.removed),
        "code_moved": _log(parts.moved),
        "comments": _log(parts.comments),
        "no_code": float(not parts.added and not parts.removed),
        "files": _log(len(product)),
        "all_files": _log(len(commit.files)),
        "folders": _log(len({folder_of(file.path) for file in product})),
        "new_files": _log(sum(1 for file in product if file.status == "A")),
        "hunks": _log(parts.hunks),
        "longest_hunk": _log(parts.longest),
        "functions": _log(len(parts.functions)),
        "entropy": _entropy(parts.sizes),
        "tests_added": _log(tests),
        "tests_missing": float(bool(parts.added) and not tests),
    }


def _of_code(product: Sequence[FilePatch], parts: Parts) -> dict[str, float]:
    return {
        "branches_added": _log(parts.branches_added),
        "branches_grown": _log(parts.branches_added - parts.branches_removed),
        "public_added": _log(parts.public_added),
        "public_changed": _log(parts.public_changed),
        "raises": _log(parts.raises),
        "concurrency": _log(parts.concurrent),
        "payment": _log(parts.money),
        "python": float(any(file.path.endswith(".py") for file in product)),
    }


def _of_kinds(commit: PastCommit) -> dict[str, float]:
    found = {kind for file in commit.files for kind in kinds(file.path)}
    return {f"kind_{kind}": float(kind in found) for kind in _KINDS}


_SAYS = ("says_fix", "says_feature", "says_refactor", "says_tidy", "says_bump", "says_remove",
         "says_speed", "says_test", "names_issue")  # fmt: skip


OF_MESSAGE = frozenset(_SAYS) | {"message_length", "subject_length"}
"""Measures that need a message."""


def _of_purpose(commit: PastCommit) -> dict[str, float]:
    words = purpose_of(commit.message).words
    made = {word: float(word in words) for word in _SAYS}
    made["message_length"] = _log(len(commit.message))
    made["subject_length"] = _log(len(commit.subject))
    return made


def _of_files(
    commit: PastCommit, product: Sequence[FilePatch], parts: Parts, known: Known
) -> dict[str, float]:
    now = float(commit.time)
    pasts = [known.memory.file(file.before) for file in product]
    weights = [size + 1.0 for size in parts.sizes]

    def most(value: Callable[[FilePast], float]) -> float:
        return max(map(value, pasts), default=0.0)

    def mean(value: Callable[[FilePast], float]) -> float:
        if not pasts:
            return 0.0
        total = sum(weights)
        return sum(w * value(p) for w, p in zip(weights, pasts, strict=True)) / total

    def fault_rate(past: FilePast) -> float:
        return (past.faulty.at(now) + 0.2) / (past.recent.at(now) + 1.0)

    lengths = [len(known.tree.get(file.before, EMPTY).origins) for file in product]
    return {
        "file_commits": _log(most(lambda p: p.commits)),
        "file_recent": _log(most(lambda p: p.recent.at(now))),
        "file_fixes": _log(most(lambda p: p.fixes)),
        "file_mended": _log(most(lambda p: p.mended.at(now))),
        "file_mended_mean": mean(lambda p: _log(p.mended.at(now))),
        "file_faulty": _log(most(lambda p: p.faulty.at(now))),
        "file_faulty_mean": mean(lambda p: _log(p.faulty.at(now))),
        "file_fault_rate": mean(fault_rate),
        "file_authors": _log(most(lambda p: len(p.authors))),
        "file_own": mean(lambda p: p.authors.get(commit.author, 0) / (p.commits + 1)),
        "file_age": mean(lambda p: _log((now - p.first) / DAY) if p.commits else 0.0),
        "file_quiet": mean(lambda p: _log((now - p.last) / DAY) if p.commits else 0.0),
        "file_length": _log(max(lengths, default=0)),
        "file_length_mean": sum(map(_log, lengths)) / max(1, len(lengths)),
    }


def _of_lines(commit: PastCommit, product: Sequence[FilePatch], known: Known) -> dict[str, float]:
    """Measure the touched lines: how old they are, whose, and how often found faulty."""
    now, touched, around = float(commit.time), [], []
    for file in product:
        for hunk, origins in zip(file.hunks, removed_origins(known.tree, file), strict=True):
            pairs = zip(hunk.removed, origins, strict=False)
            touched += [origin for line, origin in pairs if carries(line) and origin != UNKNOWN]
        around += [origin for origin in neighbours(known.tree, file) if origin != UNKNOWN]
    near = touched or around
    if not near:
        return dict.fromkeys(_LINES, 0.0)
    ages = [max(0.0, now - known.times[origin]) for origin in near]
    count = len(near)
    return {
        "line_age": sum(_log(age / DAY) for age in ages) / count,
        "line_youngest": _log(min(ages) / DAY),
        "lines_recent": sum(1 for age in ages if age < RECENT) / count,
        "lines_own": sum(1 for o in near if known.writers[o] == commit.author) / count,
        "lines_faulty": sum(1 for o in near if o in known.faulty) / count,
        "line_commits": _log(len(Counter(near))),
        "lines_known": 1.0,
    }


_LINES = ("line_age", "line_youngest", "lines_recent", "lines_own", "lines_faulty",
          "line_commits", "lines_known")  # fmt: skip


def _of_people(commit: PastCommit, product: Sequence[FilePatch], known: Known) -> dict[str, float]:
    now, past = float(commit.time), known.memory.author(commit.author)
    project = known.memory.project
    rate = (project.faults.at(now) + 0.5) / (project.code.at(now) + 5.0)
    folders = {folder_of(file.path) for file in product}
    here = max((past.folders.get(folder, 0) for folder in folders), default=0)
    return {
        "author_commits": _log(past.commits),
        "author_recent": _log(past.recent.at(now)),
        "author_here": _log(here),
        "author_faults": (past.faults + 5 * rate) / (past.code_commits + 5),
        "author_days": _log((now - past.first) / DAY) if past.commits else 0.0,
        "author_away": _log((now - past.last) / DAY) if past.commits else _log(NEW / DAY),
        "author_bot": float(is_bot(commit.author)),
    }


def _of_project(commit: PastCommit, known: Known) -> dict[str, float]:
    now, project = float(commit.time), known.memory.project
    code = project.code.at(now)
    return {
        "project_fault_rate": (project.faults.at(now) + 0.5) / (code + 5.0),
        "project_fix_rate": (project.fixes.at(now) + 0.5) / (code + 5.0),
        "project_pace": _log(project.recent.at(now)),
        "project_age": _log((now - project.first) / DAY) if project.commits else 0.0,
        "project_size": (project.lines.at(now) + 2.0) / (code + 1.0),
    }
