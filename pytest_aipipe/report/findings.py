"""The session as the report that every renderer of :mod:`aipipe_core.findings` can tell."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from aipipe_core.findings.model import Finding, Level, Report, Section, Table
from pytest_aipipe.report import behavior
from pytest_aipipe.report.terminal import changed, figures, ranges, selected_of

if TYPE_CHECKING:
    from pytest_aipipe.session.run import Run

_LINE = re.compile(r"in line (\d+)")


def report_of(run: Run, document: dict[str, Any]) -> Report:
    """Return the report: gaps as warnings, admitted tests and figures as sections."""
    sections = [
        behavior.section(document["behavior"]),
        _files(run, document),
        _tests(document),
        _engines(document),
        _rejected(document),
        _notes(document),
    ]
    summary = [
        f"{changed(document)}; {selected_of(document)}.",
        f"Changed code covered, before -> with new tests: {figures(document['coverage'])}.",
    ]
    if document["behavior"]:
        summary.append(f"{behavior.counted(document['behavior'])}.")
    return Report(
        title="Tests for the change",
        summary=tuple(summary),
        findings=(
            *_unreadable(run),
            *behavior.findings(document["behavior"]),
            *(_gap(gap) for gap in document["gaps"]),
        ),
        sections=tuple(section for section in sections if section is not None),
        tool_version=_version(),
    )


def _version() -> str:
    try:
        return version("pytest-aipipe")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return ""


def _unreadable(run: Run) -> list[Finding]:
    return [
        Finding(
            rule="unreadable-file",
            level=Level.ERROR,
            message=f"{path} cannot be read as Python: {why}.",
            path=path,
            start=int(line.group(1)) if (line := _LINE.search(why)) else None,
            help="Correct it; until then no test can import it and nothing of it is measured.",
            anchor=path,
        )
        for path, why in run.unreadable.items()
    ]


def _gap(gap: dict[str, Any]) -> Finding:
    what = "Changed lines" if gap["open_lines"] else "Changed branches"
    why = gap["why"].rstrip(".")
    return Finding(
        rule="untested-change",
        level=Level.WARNING,
        message=f"{what} {ranges(gap['lines'])} of {gap['symbol']} run in no test: {why}.",
        path=gap["path"],
        start=min(gap["lines"]),
        end=_run_end(gap["lines"]),
        help=gap["suggestion"],
        anchor=f"{gap['symbol']}:{'lines' if gap['open_lines'] else 'branches'}",
        properties={"lines": gap["lines"], "branches": gap["branches"]},
    )


def _run_end(lines: list[int]) -> int:
    """Return the end of the first unbroken run: a finding marks one place."""
    end = min(lines)
    while end + 1 in lines:
        end += 1
    return end


def _files(run: Run, document: dict[str, Any]) -> Section | None:
    rows = []
    for path, after in sorted(run.after.items()):
        before, left = run.before[path], document["coverage"]["files"][path]
        total, branches = len(after.statements), len(after.branches)
        rows.append(
            (
                path,
                _step(len(before.executed), len(after.executed), total),
                _step(len(before.executed_branches), len(after.executed_branches), branches),
                ranges(left["missing"]) or "-",
            )
        )
    if not rows:
        return None
    return Section("Coverage", table=Table(("File", "Lines", "Branches", "Missing"), tuple(rows)))


def _step(before: int, after: int, total: int) -> str:
    return f"{before}/{total} → {after}/{total}"


def _tests(document: dict[str, Any]) -> Section | None:
    rows = tuple(
        (
            test["nodeid"],
            "; ".join(f"{t['path']}:{ranges(t['lines'])}" for t in test["targets"]),
            f"{test['mutants']['killed']}/{test['mutants']['total']}",
        )
        for test in document["tests"]
        if test["status"] == "admitted"
    )
    table = Table(("Test", "Reaches", "Mutants killed"), rows)
    return Section("Admitted tests", table=table) if rows else None


def _engines(document: dict[str, Any]) -> Section | None:
    """Return what each engine brought and took, where a model was among them."""
    if not document["llm"].get("ledger"):
        return None
    columns = ("Engine", "Tried", "Admitted", "Lines", "Branches", "Tokens", "Cost")
    rows = tuple(
        (
            row["engine"],
            *(str(row[name]) for name in ("tried", "admitted", "lines", "branches", "tokens")),
            f"${row['cost_usd']:.4f}",
        )
        for row in document["engines"]
    )
    return Section("Engines", table=Table(columns, rows))


def _rejected(document: dict[str, Any]) -> Section | None:
    rows = tuple(
        (test["nodeid"], test["reason"])
        for test in document["tests"]
        if test["status"] == "rejected"
    )
    return Section("Rejected", table=Table(("Test", "Reason"), rows)) if rows else None


def _notes(document: dict[str, Any]) -> Section | None:
    notes = tuple(document["notes"])
    return Section("Notes", lines=notes) if notes else None
