"""What is known at a moment of files, authors and the project: counts, older ones worth less.

Everything here comes from commits that were read before: who asks at a commit hears nothing
that was learned later. A fault counts for a file or an author from the moment at which a fix
showed it, not from the one at which it was made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

DAY = 86_400.0
HALF_LIFE = 180 * DAY
RECENT = 30 * DAY


@dataclass(slots=True)
class Fading:
    """A count that halves every ``HALF_LIFE`` seconds."""

    value: float = 0.0
    time: float = 0.0

    def at(self, now: float) -> float:
        """Return the count as it is worth now."""
        if not self.value:
            return 0.0
        return self.value * math.exp2(-max(0.0, now - self.time) / HALF_LIFE)

    def add(self, now: float, amount: float = 1.0) -> None:
        """Count ``amount`` more."""
        self.value = self.at(now) + amount
        self.time = max(self.time, now)


@dataclass(slots=True)
class FilePast:
    """What happened to one file."""

    first: float = 0.0
    last: float = 0.0
    commits: int = 0
    fixes: int = 0
    faults: int = 0
    recent: Fading = field(default_factory=Fading)
    mended: Fading = field(default_factory=Fading)
    faulty: Fading = field(default_factory=Fading)
    authors: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class AuthorPast:
    """What one author did."""

    first: float = 0.0
    last: float = 0.0
    commits: int = 0
    code_commits: int = 0
    faults: int = 0
    recent: Fading = field(default_factory=Fading)
    folders: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ProjectPast:
    """What happened to the whole project."""

    first: float = 0.0
    commits: int = 0
    recent: Fading = field(default_factory=Fading)
    code: Fading = field(default_factory=Fading)
    fixes: Fading = field(default_factory=Fading)
    faults: Fading = field(default_factory=Fading)
    lines: Fading = field(default_factory=Fading)


@dataclass(slots=True)
class Memory:
    """Everything that is remembered."""

    files: dict[str, FilePast] = field(default_factory=dict)
    authors: dict[str, AuthorPast] = field(default_factory=dict)
    project: ProjectPast = field(default_factory=ProjectPast)

    def file(self, path: str) -> FilePast:
        """Return the file's past; an empty one for a new file."""
        return self.files.get(path) or FilePast()

    def author(self, name: str) -> AuthorPast:
        """Return the author's past; an empty one for a newcomer."""
        return self.authors.get(name) or AuthorPast()


@dataclass(frozen=True, slots=True)
class Touch:
    """What of a commit is remembered: its files by path before and after, its size in lines."""

    time: float
    author: str
    paths: tuple[tuple[str, str], ...]
    gone: tuple[str, ...]
    lines: int
    fixes: bool


def remember(memory: Memory, touch: Touch) -> None:
    """Take a commit into account."""
    now, project = touch.time, memory.project
    project.first = project.first or now
    project.commits += 1
    project.recent.add(now)
    if touch.paths:
        project.code.add(now)
        project.lines.add(now, math.log1p(touch.lines))
    if touch.fixes and touch.paths:
        project.fixes.add(now)
    _remember_author(memory, touch)
    for before, path in touch.paths:
        past = memory.files.pop(before, None) or FilePast(first=now)
        memory.files[path] = past
        past.last = max(past.last, now)
        past.commits += 1
        past.recent.add(now)
        past.authors[touch.author] = past.authors.get(touch.author, 0) + 1
        if touch.fixes:
            past.fixes += 1
            past.mended.add(now)
    for path in touch.gone:
        memory.files.pop(path, None)


def _remember_author(memory: Memory, touch: Touch) -> None:
    past = memory.authors.setdefault(touch.author, AuthorPast(first=touch.time))
    past.last = max(past.last, touch.time)
    past.commits += 1
    past.recent.add(touch.time)
    if touch.paths:
        past.code_commits += 1
        for folder in {folder_of(path) for _, path in touch.paths}:
            past.folders[folder] = past.folders.get(folder, 0) + 1


def remember_fault(memory: Memory, now: float, author: str, paths: tuple[str, ...]) -> None:
    """Take into account that a commit of ``author`` in ``paths`` was shown to be faulty."""
    memory.project.faults.add(now)
    if author in memory.authors:
        memory.authors[author].faults += 1
    for path in paths:
        past = memory.files.get(path)
        if past:
            past.faults += 1
            past.faulty.add(now)


def folder_of(path: str) -> str:
    """Return the folder of a path, empty at the top."""
    return path.rpartition("/")[0]
