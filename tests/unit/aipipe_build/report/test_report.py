"""A run as lines and as Markdown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aipipe_build.cli import main
from aipipe_build.predict.model import StepPrediction, Verdict
from aipipe_build.report.markdown import render_markdown
from aipipe_build.report.terminal import render_terminal
from aipipe_build.run.outcome import ImageOutcome, Result, run_document
from aipipe_build.verify.compare import compare_steps
from aipipe_build.verify.facts import Fact
from aipipe_core.documents import validate, write_document

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def document() -> dict[str, Any]:
    steps = compare_steps(
        [
            StepPrediction("", 2, "COPY a | `b`", Verdict.HIT, seconds=2.0),
            StepPrediction("", 3, "RUN make", Verdict.HIT, seconds=3.0),
        ],
        [Fact("", "COPY a | `b`", cached=True), Fact("", "RUN make", cached=False, seconds=61.5)],
    )
    built = ImageOutcome(
        "web", ".", "Dockerfile", decision="cached", reason="line 3: <x> changed",
        result=Result.BUILT, image="sha256:1", seconds=64.0, steps=steps, defects=["r/p.txt"],
    )  # fmt: skip
    kept = ImageOutcome(
        "job", "job", "job/Dockerfile", decision="skip", reason="as before",
        result=Result.RETAGGED, predicted_saves=10.0, seconds=0.2,
    )  # fmt: skip
    return run_document([built, kept])


def test_the_document_is_the_published_one() -> None:
    validate("build", document())
    assert document()["decision"] == "cached"
    assert document()["saves_seconds"] == 12.0


def test_the_terminal_shows_prediction_and_fact() -> None:
    assert render_terminal(document()).splitlines() == [
        "web: cached, built in 1 min 4 s, saved 2.0 s (line 3: <x> changed)",
        "  hit     cached  COPY a | `b`",
        " !hit     ran     RUN make 1 min 2 s",
        "  1 of 2 steps predicted right, 1 ran though it was to be cached",
        "  the prediction was wrong, which is a defect of aipipe",
        "  a report to paste is in r/p.txt",
        "job: skip, retagged, saved 10.0 s (as before)",
        "2 images: 1 min 4 s spent, 12.0 s saved",
    ]


def test_nothing_in_a_dockerfile_breaks_the_table() -> None:
    text = render_markdown(document())
    assert "| `` COPY a \\| `b` `` | hit | cached |" in text
    assert "&lt;x\\>" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {7, 6}


def test_the_newest_run_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "context").mkdir()
    assert main(["report", "--context", "context"]) == 2
    assert "run-missing" in capsys.readouterr().err
    write_document(tmp_path / ".aipipe" / "runs" / "1" / "build.json", "build", document())
    assert main(["report", "--context", "context", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == document()
    assert main(["report", "1", "--context", "context"]) == 0
    assert capsys.readouterr().out == render_terminal(document())
    assert main(["report", "--context", "context", "--md"]) == 0
    assert capsys.readouterr().out == render_markdown(document())
