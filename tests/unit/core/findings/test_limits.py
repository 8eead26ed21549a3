from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from aipipe_core.errors import RequestError
from aipipe_core.findings import Finding, Level, Report, Section, Table, render, renderer_for
from aipipe_core.findings.github import Annotations, StepSummary
from aipipe_core.findings.markdown import COMMENT_LIMIT, Markdown
from aipipe_core.findings.sarif import RESULT_LIMIT

sys.path.insert(0, str(Path(__file__).parent))
from samples import PLAIN, many


def test_annotations_keep_to_ten_of_each_kind_and_say_so() -> None:
    lines = render(many(90), "github").splitlines()
    for kind in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{kind} ") for line in lines) == 10
    assert lines[-1].startswith("60 more findings are not annotated")


def test_annotations_keep_to_what_the_job_has_left() -> None:
    lines = Annotations(spent=45).render(many(90)).splitlines()
    assert sum(line.startswith("::") for line in lines) == 5
    assert all(line.startswith("::error") for line in lines[:5])


def test_annotations_that_fit_need_no_last_line() -> None:
    assert all(line.startswith("::") for line in render(PLAIN, "github").splitlines())


def test_a_comment_stays_within_its_limit_and_says_what_is_missing() -> None:
    text = render(many(3_000), "comment")
    assert COMMENT_LIMIT - 1_000 < len(text) <= COMMENT_LIMIT
    shown = text.count("\n- ")
    assert f"**Cut:** {3_000 - shown:,} findings and 1 sections did not fit" in text


def test_a_step_summary_counts_bytes() -> None:
    report = Report(
        "é" * 10, sections=tuple(Section(f"S{n}", lines=("é" * 900,)) for n in range(900))
    )
    text = StepSummary().render(report)
    assert 1024 * 1024 - 4_000 < len(text.encode()) <= 1024 * 1024
    assert "sections did not fit into 1,048,576 bytes" in text


@pytest.mark.parametrize("limit", [150, 300, 500, 700, 1_000, 5_000])
def test_markdown_is_cut_between_blocks(limit: int) -> None:
    whole = Markdown().render(PLAIN)
    text = Markdown(limit=limit).render(PLAIN)
    assert len(text) <= limit
    if len(whole) <= limit:
        assert text == whole
    else:
        kept = text[: text.index("**Cut:**")].rstrip("\n")
        assert whole.startswith(kept)
        assert whole[len(kept)] == "\n"


def test_sarif_keeps_to_the_results_that_a_run_may_hold() -> None:
    log = json.loads(render(many(RESULT_LIMIT + 5), "sarif"))["runs"][0]
    assert len(log["results"]) == RESULT_LIMIT
    notes = log["invocations"][0]["toolExecutionNotifications"]
    assert "5 results were left out" in notes[0]["message"]["text"]


def test_a_fingerprint_survives_shifted_lines() -> None:
    one = Finding("r", Level.ERROR, "lines 3 to 5 of f() are untested", path="a.py", start=3)
    two = Finding("r", Level.ERROR, "lines 13 to 15 of f() are untested", path="a.py", start=13)
    assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize(
    "change", [{"rule": "s"}, {"path": "b.py"}, {"message": "n"}, {"anchor": "g"}]
)
def test_a_fingerprint_tells_different_findings_apart(change: dict[str, str]) -> None:
    fields = {"rule": "r", "level": Level.ERROR, "message": "m", "path": "a.py"}
    assert Finding(**fields).fingerprint != Finding(**{**fields, **change}).fingerprint  # type: ignore[arg-type]


def test_findings_that_say_the_same_have_fingerprints_of_their_own() -> None:
    same = tuple(Finding("r", Level.ERROR, "m", path="a.py", start=n) for n in (1, 2, 3))
    marks = [mark for _, mark in Report("t", findings=same).fingerprints()]
    assert len(set(marks)) == 3
    assert marks[0] == same[0].fingerprint


def test_findings_are_told_gravest_first() -> None:
    assert [f.level for f in PLAIN.ordered()] == [Level.ERROR, Level.WARNING, Level.NOTE]


def test_an_unknown_report_type_names_the_known_ones() -> None:
    with pytest.raises(RequestError, match=r"Known: term, json, .*\[report-type\]"):
        renderer_for("pdf")


def test_a_table_refuses_rows_of_another_width() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 columns"):
        Table(("a", "b"), (("x",),))


def test_a_report_without_findings_is_still_a_report() -> None:
    report = Report("Nothing to do", summary=("No changed lines.",))
    assert render(report, "term") == "Nothing to do\nNo changed lines.\n"
    assert render(report, "github") == ""
    assert render(report, "gitlab") == "[]\n"
