"""The session as the JSON document of the contract (``tests.json``)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_aipipe.gaps.find import find_gaps
from pytest_aipipe.generate.request import OpenGap
from pytest_aipipe.report import behavior
from pytest_aipipe.session.nodes import relative_to_root

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aipipe_core.change.model import FileChange
    from pytest_aipipe.generate.model import Gap
    from pytest_aipipe.generate.request import AdmittedTest
    from pytest_aipipe.measure.analysis import FileCoverage
    from pytest_aipipe.session.run import Run

SCHEMA = 1


def document(run: Run) -> dict[str, Any]:
    """Return the document; every field of the contract is there, whatever was reached."""
    return {
        "schema": SCHEMA,
        "base": run.change.base,
        "head": run.change.head,
        "change": {"files": [_file(file) for file in run.change.files]},
        "selection": {
            "collected": run.selection.collected,
            "selected": len(run.selection.reasons),
            "reasons": dict(run.selection.reasons),
        },
        "coverage": _coverage(run),
        "tests": [*_admitted(run), *_rejected(run)],
        "gaps": gaps_left(run),
        "behavior": behavior.rows(run),
        "flaky": list(run.flaky),
        "llm": _NO_MODEL | run.llm,
        "engines": engines(run),
        "timing": {step: round(seconds, 3) for step, seconds in run.timing.items()},
        "mutants": asdict(run.result.mutants),
        "techniques": [asdict(row) for row in run.result.techniques],
        "notes": list(run.notes),
    }


_NO_MODEL: dict[str, Any] = {
    "calls": 0,
    "input_tokens": 0,
    "output_tokens": 0,
    "cached_tokens": 0,
    "cost_usd": 0.0,
}


def engines(run: Run) -> list[dict[str, Any]]:
    """Return, by engine, what was tried and admitted, what it closed, and what it took."""
    rows: dict[str, dict[str, Any]] = {}
    for one in run.result.techniques:
        row = rows.setdefault(one.engine, {"engine": one.engine, "tokens": 0, "cost_usd": 0.0})
        for name in ("tried", "admitted", "lines", "branches", "seconds"):
            row[name] = row.get(name, 0) + getattr(one, name)
    if run.llm:
        none = {"engine": "llm", "tried": 0, "admitted": 0, "lines": 0, "branches": 0}
        row = rows.setdefault("llm", {**none, "seconds": 0.0})
        row["tokens"] = run.llm["input_tokens"] + run.llm["output_tokens"]
        row["cost_usd"] = run.llm["cost_usd"]
    return [{**row, "seconds": round(row["seconds"], 3)} for row in rows.values()]


def change_document(run: Run) -> dict[str, Any]:
    """Return the change as the document that the stages after us read (``change.json``)."""
    change = run.change
    return {
        "schema": SCHEMA,
        "base": change.base,
        "head": change.head,
        "spec": change.spec,
        "kinds": sorted(kind.value for kind in change.kinds),
        "message": change.message,
        "files": [
            {
                **_file(file),
                "status": file.status,
                "old_path": file.old_path,
                "symbols": [symbol.qualname for symbol in file.symbols],
            }
            for file in change.files
        ],
    }


def _file(file: FileChange) -> dict[str, Any]:
    kinds = sorted(kind.value for kind in file.kinds)
    return {
        "path": file.path,
        "kind": kinds[0] if kinds else "other",
        "kinds": kinds,
        "changed_lines": sorted(file.changed_lines),
    }


def _coverage(run: Run) -> dict[str, Any]:
    return {
        "lines": {
            "total": _sum(run.after.values(), "statements"),
            "before": _sum(run.before.values(), "executed"),
            "after": _sum(run.after.values(), "executed"),
        },
        "branches": {
            "total": _sum(run.after.values(), "branches"),
            "before": _sum(run.before.values(), "executed_branches"),
            "after": _sum(run.after.values(), "executed_branches"),
        },
        "files": {
            path: {
                "missing": sorted(found.statements - found.executed),
                "missing_branches": [
                    list(arc) for arc in sorted(found.branches - found.executed_branches)
                ],
            }
            for path, found in sorted(run.after.items())
        },
    }


def _sum(figures: Iterable[FileCoverage], name: str) -> int:
    return sum(len(getattr(found, name)) for found in figures)


def _admitted(run: Run) -> list[dict[str, Any]]:
    return [_test(run, test) for test in run.result.admitted]


def _test(run: Run, test: AdmittedTest) -> dict[str, Any]:
    verdict = run.verdicts.get((test.module_name, test.name))
    passed = verdict is not None and verdict.passed
    file = next((file for file in run.files if file.name == test.module_name), None)
    path = relative_to_root(file, run.change.root) if file else test.module_name
    return {
        "nodeid": verdict.nodeid if verdict and verdict.nodeid else f"{path}::{test.name}",
        "path": path,
        "engine": test.engine,
        "technique": test.technique,
        "symbol": test.symbol,
        "targets": [
            {
                "path": test.path,
                "lines": sorted(test.lines | test.pinned),
                "new_lines": sorted(test.lines),
            }
        ],
        "source": test.source,
        "status": "admitted" if passed else "rejected",
        "reason": "" if passed else (verdict.reason if verdict else "was not run"),
        "mutants": {"total": test.mutants, "killed": test.killed},
        "mocked": test.mocked,
    }


def _rejected(run: Run) -> list[dict[str, Any]]:
    return [
        {
            "nodeid": test.name,
            "path": "",
            "engine": test.engine,
            "symbol": test.symbol,
            "targets": [{"path": test.path, "lines": sorted(test.lines)}],
            "status": "rejected",
            "reason": test.reason,
            "mutants": {"total": 0, "killed": 0},
        }
        for test in run.result.rejected
    ]


def gaps_left(run: Run) -> list[dict[str, Any]]:
    """Return the gaps that stay, each with why and what a person could do."""
    told = {(left.gap.path, left.gap.symbol): left for left in run.result.left}
    rows = []
    for gap in find_gaps(run.after, run.sources, run.modules):
        left = _failed_here(run, gap) or told.get((gap.path, gap.symbol))
        rows.append(
            {
                "path": gap.path,
                "symbol": gap.symbol,
                "lines": sorted(gap.lines or {arc[0] for arc in gap.branches}),
                "open_lines": sorted(gap.lines),
                "branches": [list(arc) for arc in sorted(gap.branches)],
                "why": left.why if left else _why(run, gap),
                "suggestion": left.suggestion if left else _suggestion(gap),
            }
        )
    return rows


def _failed_here(run: Run, gap: Gap) -> OpenGap | None:
    """Return the reason that a test which reaches the gap gives by failing in this session."""
    for test in run.result.admitted:
        verdict = run.verdicts.get((test.module_name, test.name))
        if verdict is None or verdict.passed or test.path != gap.path:
            continue
        if test.lines & gap.lines or test.arcs & gap.branches:
            return OpenGap(
                gap,
                f"A test that reaches it passed by itself and was not admitted: {verdict.reason}",
                "Look at what the tests before it leave behind, or at what this session sets up.",
            )
    return None


def _why(run: Run, gap: Gap) -> str:
    ran = any(gap.path in files for files in run.trace.values())
    seen = "no selected test goes there" if ran else "no selected test imports this file"
    return f"{seen}; nothing was generated: {run.why_not}" if run.why_not else seen


def _suggestion(gap: Gap) -> str:
    if gap.symbol == "<module>":
        return f"Import {gap.module} under the condition that its top level asks for."
    if gap.lines:
        return f"Call {gap.symbol} so that line {min(gap.lines)} runs."
    start, end = min(gap.branches)
    where = f"to line {end}" if end > 0 else "out of the function"
    return f"Call {gap.symbol} so that line {start} goes {where}."
