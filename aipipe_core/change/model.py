"""What a commit changed, as values.

Line numbers are 1-based. Paths are relative to the repository's top, with forward
slashes, exactly as git stores them (``os.fsdecode`` of the bytes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Kind(StrEnum):
    """What sort of file a changed file is; a file may have several."""

    CODE = "code"
    TESTS = "tests"
    DOCS = "docs"
    DEPENDENCIES = "dependencies"
    MIGRATION = "migration"
    AUTHENTICATION = "authentication"
    CONFIGURATION = "configuration"
    DOCKER = "docker"
    CI = "ci"
    GENERATED = "generated"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of changed lines: ``removed`` on the old side, ``added`` on the new.

    The lines are without their ends. Python source is numbered as Python numbers it, other
    files as git does. The start of a side without lines is the line before, as in git.
    """

    old_start: int
    new_start: int
    removed: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def old_lines(self) -> range:
        """The removed lines' numbers on the old side."""
        return range(self.old_start, self.old_start + len(self.removed))

    @property
    def new_lines(self) -> range:
        """The added lines' numbers on the new side."""
        return range(self.new_start, self.new_start + len(self.added))


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function, class or module body of a Python file.

    ``qualname`` is as Python's ``__qualname__`` without ``<locals>`` (``A.f``, ``f.g``);
    ``<module>`` for what stands outside every definition. ``start`` is the first line,
    decorators included; ``end`` the last.
    """

    qualname: str
    kind: str  # "function", "async function", "class", "module"
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file.

    ``status`` is git's letter: ``A`` added, ``M`` modified, ``D`` deleted, ``R`` renamed,
    ``C`` copied, ``T`` type changed. ``binary`` files, submodules and symbolic links have
    no hunks. ``symbols`` are the symbols of the new side that hold a changed line,
    innermost first; ``error`` says why they could not be read (a syntax error, an unknown
    encoding).
    """

    path: str
    status: str
    kinds: frozenset[Kind]
    old_path: str | None = None
    old_mode: int | None = None
    new_mode: int | None = None
    binary: bool = False
    submodule: bool = False
    hunks: tuple[Hunk, ...] = ()
    symbols: tuple[Symbol, ...] = ()
    error: str | None = None

    @property
    def changed_lines(self) -> frozenset[int]:
        """New-side numbers of every added or altered line."""
        return frozenset(n for hunk in self.hunks for n in hunk.new_lines)

    @property
    def is_python(self) -> bool:
        """Whether the new side is Python source."""
        return self.path.endswith((".py", ".pyi", ".pyw"))


@dataclass(frozen=True, slots=True)
class Change:
    """What lies between ``base`` and ``head``.

    ``base`` is a commit's full hash, or git's empty-tree hash for a first commit.
    ``head`` is a commit's full hash, ``"staged"`` or ``"worktree"``. ``root`` is the
    repository's working tree.
    """

    root: Path
    base: str
    head: str
    files: tuple[FileChange, ...] = ()
    message: str = ""
    spec: str = field(default="", compare=False)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Every kind that a changed file has."""
        return frozenset(kind for file in self.files for kind in file.kinds)
