"""The dashboard over real run folders."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from aipipe.cli import main
from aipipe.dashboard import history_of, render_dashboard
from aipipe.dashboard.chart import line, told
from aipipe_core.errors import ExitCode

from .test_page import document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Project

FLAKY = {
    "nodeid": "tests/test_a.py::test_<b>",
    "runs": 10,
    "failures": 3,
    "cause": "order",
    "evidence": "",
    "fix": "",
}


def add(runs: Path, name: str, after: int, at: float, **more: Any) -> None:
    folder = runs / name
    folder.mkdir(parents=True)
    found = {**document("b" * 40), **more}
    found["coverage"]["lines"] = {"total": 10, "before": 2, "after": after}
    (folder / "tests.json").write_text(json.dumps(found))
    os.utime(folder, (at, at))


@pytest.fixture
def runs(project: Project) -> Path:
    found = project.root / ".aipipe" / "runs"
    add(found, "b", 9, 1_000.0, flaky=[FLAKY])
    add(found, "a", 10, 2_000.0, flaky=[FLAKY])
    (found / "half").mkdir()
    (found / "broken").mkdir()
    (found / "broken" / "tests.json").write_text("{")
    (found / "file").touch()
    return found


def test_series_go_by_time_and_broken_runs_are_passed_over(runs: Path) -> None:
    history = history_of(runs)
    assert history.runs == 2
    series = {one.title: one for one in history.series}
    covered = series["Changed lines covered, with the new tests"]
    assert [(point.run, point.value) for point in covered.points] == [("b", 90.0), ("a", 100.0)]
    assert series["Build"].points == ()
    assert history.flaky == ((FLAKY["nodeid"], 2, "order"),)


def test_a_session_that_a_pipeline_kept_as_well_counts_once(runs: Path) -> None:
    add(runs, "c", 7, 3_000.0)
    add(runs, "d", 7, 3_001.0)
    assert history_of(runs).runs == 4
    (runs / "d" / "run.json").write_text("{}")
    history = history_of(runs)
    assert [point.run for point in history.series[0].points] == ["b", "a", "d"]


def test_a_chart_stands_on_zero_and_is_told_in_words(runs: Path) -> None:
    covered = history_of(runs).series[0]
    assert line(covered) == [(4, 10.4), (316, 4.0)]
    assert told(covered) == (
        "Changed lines covered, with the new tests: 100 % in the latest of 2 runs, "
        "between 90 and 100"
    )


def test_it_says_when_the_runs_were_and_how_far_a_figure_reaches(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    history = history_of(runs)
    assert history.when == "1970-01-01 00:16 to 1970-01-01 00:33 UTC"
    page = render_dashboard(history, "engine")
    assert "2 runs, 1970-01-01 00:16 to 1970-01-01 00:33 UTC." in page
    assert '<span class="soft">between 90 and 100 %</span>' in page
    assert '<span class="soft"></span>' in page  # the same in every run
    monkeypatch.chdir(runs.parents[1])
    assert main(["dashboard"]) == ExitCode.DONE
    said = capsys.readouterr().out
    assert said.startswith("2 runs, 1970-01-01 00:16 to ")
    assert "Flaky in 2 runs: tests/test_a.py" in said


def test_the_page_escapes_what_it_shows(runs: Path) -> None:
    text = render_dashboard(history_of(runs), "<engine>")
    assert "test_&lt;b&gt;" in text
    assert "&lt;engine&gt;" in text
    assert "<script" not in text


def test_without_a_run_it_says_so(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    assert main(["dashboard", "--html", "d.html"]) == ExitCode.DONE
    assert capsys.readouterr().out == "0 runs\n"
    assert "None of them measured anything yet" in (project.root / "d.html").read_text()
