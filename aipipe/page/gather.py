"""Everything that one page shows, gathered from a run's folder and the repository."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipipe.calibrate.curve import curve_of
from aipipe.forge.compose import compose, documents_of
from aipipe.page.diff import File, Line, files_of
from aipipe.page.timeline import Timeline, timeline_of
from aipipe_core.documents import read_document
from aipipe_core.findings.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LONGEST_TEST = 12_000


@dataclass(frozen=True, slots=True)
class Written:
    """A generated test: its number on the page, where it stands, its source if it is there.

    ``reached`` has the lines that it was written for, by the file's path.
    """

    number: int
    nodeid: str
    engine: str
    targets: tuple[str, ...]
    killed: int
    mutants: int
    source: str = ""
    reached: tuple[tuple[str, tuple[Line, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """``documents`` are the run's, by name; a missing one leaves its part of the page out."""

    title: str
    documents: dict[str, Any]
    files: tuple[File, ...] = ()
    tests: tuple[Written, ...] = ()
    rejected: tuple[dict[str, Any], ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    calibration: str = ""
    """The model's calibration curve as SVG of ours; empty without a calibrated model."""
    release: Timeline | None = None

    def words(self) -> list[str]:
        """Return what the documents say in a few lines."""
        composed = compose(self.documents)
        gaps = [f"{finding.place}: {finding.message}" for finding in composed.report.ordered()]
        return [*composed.report.summary, *map(one_line, gaps)]


def gather(root: Path, folder: Path) -> Page:
    """Return the page of the run in ``folder``. Raises as ``documents_of`` does."""
    documents = documents_of(folder)
    tests = documents.get("tests")
    first = next(iter(documents.values()))
    files = tuple(files_of(root, tests)) if tests else ()
    ends = f"{str(first.get('base', ''))[:10]} → {str(first.get('head', ''))[:10]}".strip(" →")
    return Page(
        title=f"What this change deserves ({folder.name})",
        documents=documents,
        files=files,
        tests=tuple(_written(root, tests, files)) if tests else (),
        rejected=tuple(t for t in tests["tests"] if t["status"] == "rejected") if tests else (),
        calibration=curve_of(root) if "risk" in documents else "",
        release=timeline_of(documents["deploy"]) if "deploy" in documents else None,
        facts={**({"Change": ends} if ends else {}), "Run": folder.name, **_outcome(folder)},
    )


def _outcome(folder: Path) -> dict[str, str]:
    """Return how the pipeline's run ended and each of its stages; nothing outside of one."""
    if not (folder / "run.json").is_file():
        return {}
    run = read_document(folder / "run.json", "run")
    stages = ", ".join(f"{stage['name']} {stage['state']}" for stage in run["stages"])
    return {"Outcome": f"{run['state']} ({stages})" if stages else run["state"]}


def _written(root: Path, tests: dict[str, Any], files: Sequence[File]) -> list[Written]:
    admitted = [test for test in tests["tests"] if test["status"] == "admitted"]
    return [
        Written(
            number=number,
            nodeid=test["nodeid"],
            engine=test["engine"],
            targets=tuple(f"{t['path']}:{_ranges(t['lines'])}" for t in test["targets"]),
            killed=test["mutants"]["killed"],
            mutants=test["mutants"]["total"],
            source=test.get("source") or _source(root, test),
            reached=tuple(_reached(files, number)),
        )
        for number, test in enumerate(admitted, 1)
    ]


def _reached(files: Sequence[File], number: int) -> Iterator[tuple[str, tuple[Line, ...]]]:
    for file in files:
        lines = [line for hunk in file.hunks for line in hunk.lines if number in line.tests]
        if lines:
            yield file.path, tuple(lines)


def _source(root: Path, test: dict[str, Any]) -> str:
    """Return the test's own function, or its whole file where that cannot be told."""
    path: Path = root / test["path"]
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError):
        return ""
    name = test["nodeid"].rsplit("::", 1)[-1].split("[")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            start = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            return "\n".join(text.splitlines()[start - 1 : node.end_lineno])
    return text[:_LONGEST_TEST]


def _ranges(lines: list[int]) -> str:
    spans: list[list[int]] = []
    for line in sorted(lines):
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
