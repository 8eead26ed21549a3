"""One session's findings, filled step by step; what every report is made from."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_aipipe.generate.request import Result
from pytest_aipipe.select.decide import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aipipe_core.change.model import Change
    from pytest_aipipe.compare.model import Compared
    from pytest_aipipe.generate.model import Gap
    from pytest_aipipe.measure.analysis import FileCoverage
    from pytest_aipipe.measure.trace import Trace
    from pytest_aipipe.options import Options
    from pytest_aipipe.session.items import ItemInfo


@dataclass(slots=True)
class Verdict:
    """How an admitted test fared when it ran in this session."""

    nodeid: str
    passed: bool
    reason: str = ""


@dataclass(slots=True)
class Run:
    """What is known so far. ``before`` and ``after`` are cut to the changed lines."""

    options: Options
    change: Change
    rootdir: Path
    sources: dict[str, str] = field(default_factory=dict)  # changed code files: path -> text
    selection: Selection = field(default_factory=Selection)
    items: dict[str, ItemInfo] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # by node id
    trace: Trace = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    before: dict[str, FileCoverage] = field(default_factory=dict)
    after: dict[str, FileCoverage] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)  # before generation
    result: Result = field(default_factory=Result)
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)  # by (file, test)
    files: list[Path] = field(default_factory=list)  # generated files that stay
    target: Path | None = None
    notes: list[str] = field(default_factory=list)
    timing: dict[str, float] = field(default_factory=dict)
    compared: Compared | None = None  # base against head; None where they were not compared
    behavior_files: dict[str, Path] = field(default_factory=dict)  # catching tests: name -> file
    why_not: str = ""  # why nothing was generated, where nothing was
    llm: dict[str, Any] = field(default_factory=dict)  # what a model was asked, and at what cost
    interrupted: bool = False
    collection_errors: int = 0  # that pytest alone would have stopped at
    flaky: list[dict[str, Any]] = field(default_factory=list)  # rows of the report
    annotations: str = ""  # GitHub's workflow commands, for the log

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds of the block to ``timing[step]``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timing[step] = self.timing.get(step, 0.0) + time.perf_counter() - start

    def note(self, text: str) -> None:
        """Remember a sentence for the report, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def unreadable(self) -> dict[str, str]:
        """Why, for each changed file that should be Python and cannot be read as such."""
        return {
            file.path: file.error
            for file in self.change.files
            if file.error and file.status != "D" and file.path.endswith((".py", ".pyw"))
        }

    @property
    def percent(self) -> float:
        """Changed-line coverage with the admitted tests; 100 where no changed line can run."""
        total = sum(len(found.statements) for found in self.after.values())
        covered = sum(len(found.executed) for found in self.after.values())
        return 100.0 * covered / total if total else 100.0
