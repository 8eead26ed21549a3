"""Behaviour changes in the reports: rows of the document, side by side, findings."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

from aipipe_core.findings.model import Finding, Level, Section, Table
from pytest_aipipe.session.nodes import relative_to_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_aipipe.compare.model import BehaviorChange
    from pytest_aipipe.session.run import Run

MAX_SHOWN = 10
"""In the terminal and, worst first, in Markdown and annotations; the rest is counted."""

WORST_FIRST = ("unannounced", "unsure", "intended")
KINDS = ("error", "end", "type", "value", "argument", "warning", "output")
_LEVELS = {"unannounced": Level.WARNING, "unsure": Level.WARNING, "intended": Level.NOTE}
_NARROWEST = 24
_LONGEST = 3


def rows(run: Run) -> list[dict[str, Any]]:
    """Return the ``behavior`` of the document, the worst first."""
    changes = run.compared.changes if run.compared is not None else ()
    found = [_row(one, run.behavior_files.get(one.file_name), run) for one in changes]
    return sorted(
        found,
        key=lambda row: (WORST_FIRST.index(row["verdict"]), KINDS.index(row["kind"])),
    )


def _row(change: BehaviorChange, file: Path | None, run: Run) -> dict[str, Any]:
    path = relative_to_root(file, run.change.root) if file else change.file_name
    hunk = change.hunk
    return {
        "symbol": change.symbol,
        "input": change.input,
        "base": change.base,
        "head": change.head,
        "test": f"{path}::{change.test_name}",
        "path": change.path,
        "kind": str(change.kind),
        "verdict": str(change.announced),
        "reason": change.reason,
        "by_model": change.by_model,
        "hunk": None if hunk is None else _hunk(hunk),
    }


def _hunk(hunk: Any) -> dict[str, Any]:
    return {
        "old_start": hunk.old_start,
        "new_start": hunk.new_start,
        "removed": list(hunk.removed),
        "added": list(hunk.added),
    }


def counted(behavior: Sequence[dict[str, Any]]) -> str:
    """Return how many behaviour changes there are of each verdict, in words."""
    found = Counter(row["verdict"] for row in behavior)
    parts = ", ".join(f"{found[verdict]} {verdict}" for verdict in WORST_FIRST if found[verdict])
    return f"{len(behavior)} behaviour change{'' if len(behavior) == 1 else 's'} ({parts})"


def side_by_side(
    behavior: Sequence[dict[str, Any]], width: int = 0
) -> Iterator[tuple[str, dict[str, bool]]]:
    """Yield the lines of the terminal's section with their markup."""
    if not behavior:
        return
    width = width or shutil.get_terminal_size((100, 24)).columns
    bad = any(row["verdict"] == "unannounced" for row in behavior)
    yield f"  {counted(behavior)}, base | head", {"red": bad, "yellow": not bad, "bold": True}
    for row in behavior[:MAX_SHOWN]:
        yield from _change(row, width)
    if len(behavior) > MAX_SHOWN:
        yield f"    and {len(behavior) - MAX_SHOWN} more; --ai-report=json:FILE lists all", {}


def _change(row: dict[str, Any], width: int) -> Iterator[tuple[str, dict[str, bool]]]:
    unannounced = row["verdict"] == "unannounced"
    marked = " (a model's answer)" if row["by_model"] else ""
    yield f"    ~ {row['symbol']}  {_one_line(row['input'], width)}", {"bold": True}
    half = max(_NARROWEST, (width - 11) // 2)
    left, right = (_wrapped(row[side], half) for side in ("base", "head"))
    for index in range(max(len(left), len(right))):
        old = left[index] if index < len(left) else ""
        new = right[index] if index < len(right) else ""
        yield f"      {old:{half}} | {new}".rstrip(), {}
    yield f"      {row['verdict']}{marked}: {row['reason']}", {"red": unannounced, "light": True}
    yield f"      {row['test']}", {"light": True}


def _one_line(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _wrapped(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of ``width``, cut after a few."""
    lines = [
        line[start : start + width]
        for line in text.expandtabs(4).splitlines() or [""]
        for start in range(0, max(1, len(line)), width)
    ]
    if len(lines) <= _LONGEST:
        return lines
    return [*lines[: _LONGEST - 1], f"{lines[_LONGEST - 1][: width - 1]}…"]


def findings(behavior: Sequence[dict[str, Any]]) -> list[Finding]:
    """Return a finding for each of the worst; the summary counts the rest."""
    return [_finding(row) for row in behavior[:MAX_SHOWN]]


def _finding(row: dict[str, Any]) -> Finding:
    hunk = row["hunk"]
    start = max(1, hunk["new_start"]) if hunk else None
    end = start + max(0, len(hunk["added"]) - 1) if hunk and start else None
    model = " (a model's answer)" if row["by_model"] else ""
    return Finding(
        rule="behavior-change",
        level=_LEVELS[row["verdict"]],
        message=(
            f"{row['symbol']} behaves differently: {row['base']} before, {row['head']} now, "
            f"for {row['input']}. {row['verdict'].capitalize()}{model}: {row['reason']}."
        ),
        path=row["path"],
        start=start,
        end=end,
        help=f"{row['test']} passes on the base and fails on head.",
        anchor=f"{row['symbol']}:{row['kind']}",
        properties={key: row[key] for key in ("input", "base", "head", "verdict", "kind")},
    )


def section(behavior: Sequence[dict[str, Any]]) -> Section | None:
    """Return base and head side by side as a table, the worst first, the rest counted."""
    if not behavior:
        return None
    shown = behavior[:MAX_SHOWN]
    table = Table(
        ("Symbol", "Input", "Base", "Head", "Verdict"),
        tuple(
            (
                row["symbol"],
                row["input"],
                row["base"],
                row["head"],
                f"{row['verdict']}{' (by a model)' if row['by_model'] else ''}: {row['reason']}",
            )
            for row in shown
        ),
    )
    more = len(behavior) - len(shown)
    lines = [f"{counted(behavior)}. Each has a test that passes on the base and fails on head."]
    lines += [f"{more} more are in the JSON report."] if more else []
    return Section("Behaviour: base and head", lines=tuple(lines), table=table)
