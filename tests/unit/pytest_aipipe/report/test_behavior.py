from __future__ import annotations

from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from aipipe_core.change.model import Change, Hunk
from aipipe_core.documents import load_schema
from aipipe_core.findings import render
from aipipe_core.findings.model import Level, Report
from pytest_aipipe.compare.model import Announced, BehaviorChange, Compared, Kind
from pytest_aipipe.options import Options
from pytest_aipipe.report.behavior import MAX_SHOWN, findings, rows, section, side_by_side
from pytest_aipipe.session.run import Run


def change(number: int, **given: Any) -> BehaviorChange:
    values: dict[str, Any] = {
        "symbol": f"shop.price{number}",
        "path": "shop.py",
        "kind": Kind.VALUE,
        "input": "price(1)",
        "base": "1",
        "head": "2",
        "file_name": f"test_price_{number}.py",
        "test_name": "test_price",
        "test": "",
        "hunk": Hunk(3, 3, ("    return 1",), ("    return 2", "    # more")),
        "announced": Announced.UNSURE,
        "reason": "why not",
    }
    return BehaviorChange(**{**values, **given})


def told(*changes: BehaviorChange) -> list[dict[str, Any]]:
    run = Run(Options(None), Change(Path("/r"), "b" * 40, "worktree"), Path("/r"))
    run.compared = Compared(changes)
    run.behavior_files = {c.file_name: Path("/r/t/behavior", c.file_name) for c in changes}
    return rows(run)


def text(behavior: list[dict[str, Any]], width: int = 80) -> list[str]:
    return [line for line, _ in side_by_side(behavior, width)]


def test_a_row_has_what_the_contract_asks_for_and_its_hunk() -> None:
    (row,) = told(change(1))
    schema = load_schema("tests")["$defs"]["behavior"]
    Draft202012Validator({**schema, "additionalProperties": False}).validate(row)
    assert row["test"] == "t/behavior/test_price_1.py::test_price"
    assert row["hunk"]["removed"] == ["    return 1"]


def test_the_worst_come_first() -> None:
    given = [
        change(1, announced=Announced.INTENDED),
        change(2),
        change(3, announced=Announced.UNANNOUNCED),
        change(4, announced=Announced.UNANNOUNCED, kind=Kind.ERROR),
    ]
    assert [row["symbol"][-1] for row in told(*given)] == ["4", "3", "2", "1"]


def test_both_sides_stand_beside_each_other() -> None:
    lines = text(told(change(1, base="[1, 2, 3]", head="ValueError: no")))
    assert lines[0] == "  1 behaviour change (1 unsure), base | head"
    assert lines[1] == "    ~ shop.price1  price(1)"
    assert lines[2].split("|")[0].strip() == "[1, 2, 3]"
    assert lines[2].split("|")[1].strip() == "ValueError: no"
    assert lines[3] == "      unsure: why not"


def test_long_values_are_wrapped_to_the_width_and_cut_after_a_few_lines() -> None:
    lines = text(told(change(1, base="x" * 500, head="a\nb")), 60)
    assert all(len(line) <= 60 for line in lines[1:5])
    assert lines[4].split("|")[0].rstrip().endswith("…")
    assert lines[3].split("|")[1].strip() == "b"


def test_a_verdict_of_a_model_says_so_everywhere() -> None:
    behavior = told(change(1, by_model=True))
    assert any("a model's answer" in line for line in text(behavior))
    assert "a model's answer" in findings(behavior)[0].message
    shown = section(behavior)
    assert shown is not None
    assert shown.table is not None
    assert "by a model" in shown.table.rows[0][-1]


def test_many_are_limited_and_the_rest_is_counted() -> None:
    behavior = told(*(change(n) for n in range(MAX_SHOWN + 3)))
    assert "    and 3 more; --ai-report=json:FILE lists all" in text(behavior)
    assert len(findings(behavior)) == MAX_SHOWN
    shown = section(behavior)
    assert shown is not None
    assert shown.lines[-1] == "3 more are in the JSON report."
    report = Report("t", (), tuple(findings(behavior)), (shown,))
    assert "13 behaviour changes" in render(report, "md")
    assert render(report, "md").count("behaves differently") == MAX_SHOWN


def test_a_finding_marks_the_hunk_and_is_a_note_where_it_is_intended() -> None:
    (found,) = findings(told(change(1)))
    assert (found.path, found.start, found.end, found.level) == ("shop.py", 3, 4, Level.WARNING)
    (found,) = findings(told(change(1, announced=Announced.INTENDED, hunk=None)))
    assert (found.start, found.level) == (None, Level.NOTE)


def test_nothing_is_nothing() -> None:
    assert (told(), text([]), section([]), findings([])) == ([], [], None, [])
