"""``aipipe calibrate`` on repositories with a past."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING

import pytest

from aipipe.cli import main
from aipipe_core.documents import validate

if TYPE_CHECKING:
    from tests.integration.conftest import Project

DAY = 86_400


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(project.root)
    return project


def grow(
    project: Project, monkeypatch: pytest.MonkeyPatch, *, days: int, commits: int, back: int = 0
) -> None:
    """A history: every third commit adds much and is mended a week later, the others add little."""
    random.seed(1)
    start = int(time.time()) - (days + back) * DAY
    step = days * DAY // commits
    for n in range(commits):
        when = start + n * step
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{when} +0000")
        if n % 3 == 0:
            body = "".join(f"value_{n}_{i} = compute({i}) or {n}\n" for i in range(30))
            project.commit(f"Add feature {n}", **{f"part_{n}": body})
        elif n % 3 == 1:
            name = f"part_{n - 1}"
            body = (project.root / f"{name}.py").read_text()
            project.commit(f"Fix wrong value {n}", **{name: body.replace("compute(3)", "0")})
        else:
            project.write(f"docs/page_{n}.md", "text\n" * random.randint(1, 60))
            project.commit(f"Describe {n}")
    monkeypatch.delenv("GIT_COMMITTER_DATE")


@pytest.mark.slow
def test_an_old_history_is_judged_on_its_newest_part_and_adopted(
    here: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(here, monkeypatch, days=3000, commits=150)
    assert main(["calibrate", "--json", "out.json"]) == 0
    out = capsys.readouterr().out
    answer = json.loads((here.root / "out.json").read_text())
    assert answer["faulty"] == 50
    assert set(answer["scores"]) == {"model", "prior", "lines added"}
    assert answer["scores"]["model"]["auc"] > answer["scores"]["lines added"]["auc"]
    assert "Adopted" in out
    assert "calibration error" in out
    validate("model", json.loads((here.root / ".aipipe/past/model.json").read_text()))
    (here.root / "out.json").unlink()
    body = "".join(f"new_value_{i} = compute({i}) or 1\n" for i in range(40))
    here.write("part_new.py", body)
    assert main(["analyze", "--json", "-"]) == 0
    risky = json.loads(capsys.readouterr().out)["risk"]
    assert risky["source"] == "model"
    assert any("lines" in reason["text"] for reason in risky["reasons"])
    (here.root / "part_new.py").unlink()
    here.write("docs/more.md", "text\n")
    assert main(["analyze", "--json", "-"]) == 0
    calm = json.loads(capsys.readouterr().out)["risk"]
    assert calm["probability"] < risky["probability"]
    assert main(["calibrate"]) == 0
    assert "previous" in capsys.readouterr().out


def test_a_young_history_stands_on_the_prior(
    here: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(here, monkeypatch, days=60, commits=33)
    assert main(["calibrate"]) == 0
    assert "the prior speaks" in capsys.readouterr().out
    kept = json.loads((here.root / ".aipipe/past/model.json").read_text())
    assert kept["model"]["weights"] == {}
    here.write("x.py", "x = 1\n")
    assert main(["analyze", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["risk"]["source"] == "model"


def test_a_rolled_back_release_counts(
    here: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(here, monkeypatch, days=60, commits=33)
    head = here.git("rev-parse", "HEAD")
    run = here.root / ".aipipe" / "runs" / "20240101-000000-abcdef"
    run.mkdir(parents=True)
    (run / "risk.json").write_text(json.dumps({"head": head}))
    (run / "deploy.json").write_text(json.dumps({"schema": 1, "state": "rolled-back"}))
    assert main(["calibrate", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["outcomes"] == 1


def test_three_commits_are_too_few_and_the_rules_stay(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate"]) == 2
    assert "[history-short]" in capsys.readouterr().err
    for n in range(3):
        here.commit(f"c{n}", a=f"x = {n}\n")
    assert main(["calibrate"]) == 2
    assert "[history-short]" in capsys.readouterr().err
    assert main(["analyze", "HEAD^..HEAD", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["risk"]["source"] == "rules"


def test_a_date_that_is_none_is_refused(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--since", "yesterdayish"]) == 2
    assert "is no date" in capsys.readouterr().err


def test_a_rule_has_the_last_word_and_is_the_first_reason(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.commit("start", a="x = 1\n")
    here.write("risk.yaml", 'rules:\n  - {paths: ["pay/**"], always: high, why: money}\n')
    here.write("pay/a.py", "x = 1\n")
    assert main(["analyze", "--json", "-"]) == 0
    answer = json.loads(capsys.readouterr().out)
    validate("risk", answer)
    assert answer["risk"]["level"] == "high"
    assert answer["risk"]["reasons"][0]["text"] == "risk.yaml, line 2, says always high: money"
    assert answer["route"]["strategy"] == "canary"
    assert answer["route"]["why"]["strategy"] == "high risk"
