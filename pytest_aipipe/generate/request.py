"""What the session asks of generation, and what it gets back.

The session (:mod:`pytest_aipipe.session`) measures and builds a :class:`Request`;
:func:`pytest_aipipe.generate.run.generate` starts the explorer, lets the engines propose,
sends what reached something new through the gate, and returns a :class:`Result`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_aipipe.generate.model import Arc, Gap, KnownTest


@dataclass(frozen=True, slots=True)
class Naming:
    """How the project's own pytest settings name what they collect (``python_files``, ...)."""

    files: tuple[str, ...] = ("test_*.py", "*_test.py")
    classes: tuple[str, ...] = ("Test",)
    functions: tuple[str, ...] = ("test",)


@dataclass(frozen=True, slots=True)
class Request:
    """One generation over the whole change.

    ``root`` is the repository's top, ``rootdir`` pytest's root, ``target`` the absolute
    folder that admitted tests will live in (it need not exist; nothing is written to it
    during generation). ``pytest_args`` are the options under which a child pytest sees the
    project as this session does (``-c``, ``-o``, ``-p``, ``--import-mode``, ``--rootdir``),
    without test paths. ``environ`` are the variables that pytest was started with: a test module
    may have set others meanwhile, which a new test does not find. ``sources`` maps changed files
    to their text. ``covered`` and ``covered_arcs`` hold what the selected tests already ran.
    ``budget`` is in seconds.
    """

    root: Path
    rootdir: Path
    target: Path
    python_path: tuple[str, ...]
    pytest_args: tuple[str, ...]
    sources: Mapping[str, str]
    modules: Mapping[str, str]  # repository-relative path -> dotted import name
    added: Mapping[str, frozenset[int]]
    arcs: Mapping[str, frozenset[Arc]]  # every possible branch that starts on a changed line
    covered: Mapping[str, frozenset[int]]
    covered_arcs: Mapping[str, frozenset[Arc]]
    gaps: Sequence[Gap]
    tests: Sequence[KnownTest]
    budget: float
    sandbox: str = "auto"
    seed: int = 0
    naming: Naming = field(default_factory=Naming)
    base_root: Path | None = None  # a worktree of the base version, where there is one
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True, slots=True)
class AdmittedTest:
    """A test that passed the gate. ``source`` is the function's final text.

    ``module_name`` is the file it goes to, relative to ``Request.target``; all the tests of
    one file and its header and imports are in :attr:`Result.files`.
    """

    module_name: str
    name: str
    source: str
    engine: str
    technique: str
    path: str
    symbol: str
    lines: frozenset[int]
    arcs: frozenset[Arc]
    mutants: int = 0
    killed: int = 0
    mocked: bool = False
    untrusted: bool = False  # see Candidate
    pinned: frozenset[int] = frozenset()  # lines in which it alone notices a fault


@dataclass(frozen=True, slots=True)
class MutantCount:
    """Faults in the changed lines that the admitted tests run, and how many these notice.

    ``survivors`` and ``set_aside`` (the equivalent ones, with the proof) are in words.
    """

    total: int = 0
    killed: int = 0
    survivors: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedTest:
    """A candidate that reached something new and was not admitted, with the gate's reason."""

    name: str
    engine: str
    path: str
    symbol: str
    lines: frozenset[int]
    reason: str


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A gap, or the rest of one, that stays: why, and what a person could do."""

    gap: Gap
    why: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class TechniqueCount:
    """One technique's row in the bench's table."""

    engine: str
    technique: str
    tried: int
    admitted: int
    lines: int
    branches: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """What generation ended with. ``files`` maps file names (relative to the target) to text."""

    admitted: Sequence[AdmittedTest] = ()
    rejected: Sequence[RejectedTest] = ()
    left: Sequence[OpenGap] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    techniques: Sequence[TechniqueCount] = ()
    mutants: MutantCount = MutantCount()
    notes: Sequence[str] = ()  # e.g. which sandbox was used, what could not be started


class Progress(Protocol):
    """Told what generation is doing; the terminal draws it, or nobody does."""

    def step(self, text: str, *, done: int, total: int, left: float) -> None:
        """Say what is being worked on, how far, and how many seconds are left."""
        ...


Generate = Callable[[Request, Progress], Result]
