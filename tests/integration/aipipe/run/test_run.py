"""``aipipe run`` on real repositories with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from aipipe.cli import main
from aipipe.run.lock import only_run
from aipipe_core.documents import validate

if TYPE_CHECKING:
    from tests.integration.conftest import Project

PROJECT = Path(__file__).parents[4]


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    project.write(".gitignore", "ran\n*.made\n")
    project.commit("start", a="x = 1\n")
    monkeypatch.chdir(project.root)
    return project


def pipeline(here: Project, text: str) -> None:
    here.write("pipeline.yaml", dedent(text))


def ran(here: Project) -> list[str]:
    path = here.root / "ran"
    return path.read_text().split() if path.exists() else []


def last(here: Project) -> dict[str, Any]:
    folder = max((here.root / ".aipipe" / "runs").iterdir())
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    validate("run", found)
    return found


def states(here: Project) -> dict[str, str]:
    return {stage["name"]: stage["state"] for stage in last(here)["stages"]}


def test_a_run_leaves_its_documents_and_its_logs(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline(here, "stages: {a: {command: echo hello}, b: {command: echo $PIPELINE_RISK}}")
    assert main(["run"]) == 0
    out = capsys.readouterr().out
    assert "a | hello" in out
    assert "b | low" in out
    (folder,) = (here.root / ".aipipe" / "runs").iterdir()
    for name in ("run", "change", "risk"):
        validate(name, json.loads((folder / f"{name}.json").read_text()))
    assert (folder / "logs" / "a.log").read_text() == "hello\n"
    assert "# or" not in here.git("status", "--porcelain")
    assert ".aipipe" not in here.git("status", "--porcelain")


def test_what_passed_on_the_same_content_is_kept_and_an_edit_runs_what_it_reaches(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.commit("more", b="y = 1\n")
    pipeline(
        here,
        """
        stages:
          a: {command: echo a >> ran, inputs: ["a.py"]}
          b: {command: echo b >> ran, inputs: ["b.py"]}
          c: {command: echo c >> ran, inputs: ["c.py"], depends_on: a}
          d: {command: echo d >> ran, cache: false}
          e: {command: echo e >> ran, depends_on: d}
        """,
    )
    assert main(["run", "--jobs", "1"]) == 0
    assert main(["run", "--jobs", "1"]) == 0
    assert sorted(ran(here)) == sorted("abcdede")
    assert "kept, it passed on the same content just now" in capsys.readouterr().out
    here.write("a.py", "x = 2\n")
    assert main(["run", "--jobs", "1"]) == 0
    assert sorted(ran(here)) == sorted("abcdede" + "ac" + "de")
    here.commit("the same content")
    assert main(["run", "--jobs", "1"]) == 0
    assert sorted(ran(here)) == sorted("abcdede" + "ac" + "dede")


def test_a_missing_output_runs_its_stage_again(here: Project) -> None:
    pipeline(here, "stages: {a: {command: echo a >> ran; touch x.made, outputs: [x.made]}}")
    for _ in range(2):
        assert main(["run"]) == 0
    (here.root / "x.made").unlink()
    assert main(["run"]) == 0
    assert ran(here) == ["a", "a"]


def test_an_edit_under_way_makes_a_verdict_that_is_not_kept(here: Project) -> None:
    pipeline(here, "stages: {a: {command: 'echo a >> ran; echo \"# $(wc -l < ran)\" >> a.py'}}")
    here.write("a.py", "x = 1\n")
    assert main(["run"]) == 0
    here.write("a.py", "x = 1\n")
    assert main(["run"]) == 0
    assert ran(here) == ["a", "a"]


def test_a_failure_blocks_who_waits_spares_the_others_and_is_explained(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write("a.py", "def f():\n    return missing\n\n\nf()\n")
    pipeline(
        here,
        f"""
        stages:
          bad:
            command: [{sys.executable}, a.py]
            on_failure: [suggest_fixes, retry_once]
          after: {{command: "true", depends_on: bad}}
          later: {{command: "true", depends_on: after}}
          other: {{command: "true"}}
        """,
    )
    assert main(["run"]) == 1
    assert states(here) == {
        "bad": "failed",
        "after": "blocked",
        "later": "blocked",
        "other": "passed",
    }
    stage = next(stage for stage in last(here)["stages"] if stage["name"] == "bad")
    told = stage["explanation"]
    assert stage["attempts"] == 2
    assert "NameError: name 'missing' is not defined" in told["summary"]
    assert told["places"][0] == {"path": "a.py", "line": 2, "function": "f"}
    assert told["hunk"]["path"] == "a.py"
    assert told["hunk"]["start"] <= 2 <= told["hunk"]["end"]
    assert "never defined" in told["suggestions"][0]
    assert main(["report"]) == 0
    out = capsys.readouterr().out
    assert "most likely at fault: a.py:1-5" in out
    assert "after  blocked" in out.replace("   ", " ").replace("  ", "  ")


def test_retry_once_passes_what_fails_once_and_continue_forgives(here: Project) -> None:
    pipeline(
        here,
        """
        stages:
          once: {command: "test -e x.made || { touch x.made; exit 1; }", on_failure: retry_once}
          soft: {command: exit 1, on_failure: continue}
          after: {command: "true", depends_on: [soft, once]}
        """,
    )
    assert main(["run"]) == 0
    assert states(here) == {"once": "passed", "soft": "failed", "after": "passed"}


def test_conditions_pass_stages_by_and_say_why(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.commit("pipeline", b="y = 1\n")
    pipeline(
        here,
        """
        stages:
          risky: {command: exit 1, when: {risk: [high]}}
          calm: {command: "true", when: {risk: low, paths: ["*.yaml"]}}
          docs: {command: exit 1, when: {kinds: [docs]}}
          paths: {command: exit 1, when: {paths: ["src/**"]}}
          after: {command: "true", depends_on: [risky, docs]}
        """,
    )
    assert main(["run", "HEAD"]) == 0
    assert states(here) == {
        "risky": "skipped",
        "calm": "passed",
        "docs": "skipped",
        "paths": "skipped",
        "after": "passed",
    }
    out = capsys.readouterr().out
    assert "the risk is low, and it runs at high" in out
    assert "nothing of docs changed" in out


def test_stages_that_do_not_wait_for_each_other_run_at_once(here: Project) -> None:
    # Each waits for what the other makes: one after the other they would time out.
    wait = "touch {0}.made; while ! test -e {1}.made; do sleep 0.02; done"
    pipeline(
        here,
        f"""
        stages:
          a: {{command: "{wait.format("a", "b")}", timeout: 30s}}
          b: {{command: "{wait.format("b", "a")}", timeout: 30s}}
        """,
    )
    assert main(["run", "--jobs", "2"]) == 0


def test_a_watch_that_finds_something_undoes_and_fails(here: Project) -> None:
    pipeline(
        here,
        """
        stages:
          up:
            command: touch up.made
            monitor: {command: "echo look >> ran; exit 1", for: 20s, every: 0.05, failures: 3}
            on_anomaly: {command: rm up.made}
          fine:
            command: "true"
            monitor: {command: "true", for: 0.2, every: 0.05}
        """,
    )
    assert main(["run"]) == 1
    assert ran(here) == ["look"] * 3
    assert not (here.root / "up.made").exists()
    assert states(here) == {"up": "failed", "fine": "passed"}
    why = next(stage["why"] for stage in last(here)["stages"] if stage["name"] == "up")
    assert "3 times in a row" in why
    assert why.endswith("undone")


def test_a_dry_run_tells_and_leaves_nothing(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline(here, "stages: {a: {command: touch no.made}, t: {uses: tests, depends_on: a}}")
    assert main(["run", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "$ touch no.made" in out
    assert "--ai-diff=" in out or "the route skips the tests" in out
    assert "after a" in out
    assert not (here.root / ".aipipe").exists()
    assert not (here.root / "no.made").exists()


def test_two_runs_at_once_are_refused(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline(here, "stages: {a: {command: 'true'}}")
    (here.root / ".aipipe").mkdir()
    with only_run(here.root / ".aipipe"):
        assert main(["run"]) == 3
    assert "[run-locked]" in capsys.readouterr().err
    assert main(["run"]) == 0


def begin(here: Project) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "aipipe", "run"]
    environ = {**os.environ, "PYTHONPATH": str(PROJECT)}
    started = subprocess.Popen(
        argv, cwd=here.root, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while not (here.root / "slow.made").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert (here.root / "slow.made").exists()
    return started


SLOW = """
stages:
  quick: {command: echo quick >> ran, cache: false}
  slow:
    command: "echo $$ > slow.made; test -e go.made || exec sleep 60"
    depends_on: quick
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_running_and_is_resumed(
    here: Project, number: signal.Signals
) -> None:
    pipeline(here, SLOW)
    started = begin(here)
    started.send_signal(number)
    assert started.wait(60) == 130
    assert not alive(here)
    assert states(here) == {"quick": "passed", "slow": "interrupted"}
    here.write("go.made", "")
    assert main(["run", "--resume"]) == 0
    assert states(here) == {"quick": "passed", "slow": "passed"}
    assert ran(here) == ["quick"]
    assert len(list((here.root / ".aipipe" / "runs").iterdir())) == 1


def alive(here: Project) -> bool:
    pid = (here.root / "slow.made").read_text().strip()
    stat = Path("/proc", pid, "stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_after_a_crash_the_next_run_ends_what_was_left_and_goes_on(here: Project) -> None:
    pipeline(here, SLOW)
    started = begin(here)
    started.kill()
    started.wait(60)
    assert alive(here)
    here.write("go.made", "")
    assert main(["run", "--resume"]) == 0
    assert ran(here) == ["quick"]
    assert states(here) == {"quick": "passed", "slow": "passed"}


def test_a_resumed_run_does_not_keep_what_an_edit_has_reached(here: Project) -> None:
    pipeline(here, "stages: {a: {command: echo a >> ran}, b: {command: test -e ok.made}}")
    assert main(["run"]) == 1
    here.write("a.py", "x = 3\n")
    here.write("ok.made", "")
    assert main(["run", "--resume"]) == 0
    assert ran(here) == ["a", "a"]


def test_a_half_written_run_is_passed_over(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline(here, "stages: {a: {command: 'true'}}")
    runs = here.root / ".aipipe" / "runs"
    for name, content in (("20200101-000000-aaaaaa", None), ("20991231-000000-bbbbbb", "{")):
        (runs / name / "logs").mkdir(parents=True)
        if content:
            (runs / name / "run.json").write_text(content)
    assert main(["report"]) == 2
    assert "[document-unreadable]" in capsys.readouterr().err
    assert main(["run"]) == 0
    assert main(["report"]) == 0
    assert main(["report", "2099"]) == 2
    assert "[document-unreadable]" in capsys.readouterr().err
    assert main(["run", "--resume"]) == 2
    assert "[run-over]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "slug"),
    [
        (["run", "--pipeline", "no.yaml"], "pipeline-missing"),
        (["run", "--resume"], "run-none"),
        (["run", "--resume", "x"], "run-unknown"),
        (["run", "HEAD^..HEAD^"], "head-not-checked-out"),
        (["report"], "run-none"),
    ],
)
def test_a_wrong_request_is_told(
    here: Project, capsys: pytest.CaptureFixture[str], argv: list[str], slug: str
) -> None:
    here.commit("second", a="x = 4\n")
    pipeline(here, "stages: {a: {command: 'true'}}")
    assert main(argv) == 2
    assert f"[{slug}]" in capsys.readouterr().err


def test_an_agent_gets_what_the_route_says(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write("a.py", "x = 5\n")
    pipeline(
        here,
        """
        stages:
          t: {uses: tests, arguments: [-q]}
          b: {uses: build}
          d: {uses: deploy, strategy: canary, monitor: 5m}
        """,
    )
    assert main(["run", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "-m pytest --ai-diff=" in out
    assert "-m aipipe_build run" in out
    assert (
        "-m aipipe_deploy up --strategy=canary --analysis=RUN/risk.json --json=RUN/deploy.json"
        " --watch=300"
    ) in out


def test_a_repository_without_tests_passes_and_says_so(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write("a.py", "x = 6\n")
    pipeline(here, "stages: {t: {uses: tests, arguments: [-q]}}\n")
    assert main(["run"]) == 0
    assert "there is no test in this repository yet" in capsys.readouterr().out


def test_tests_that_are_there_and_not_found_are_a_failure(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write("a.py", "x = 6\n")
    here.write("checks/test_a.py", "def test_a():\n    pass\n")
    pipeline(here, "stages: {t: {uses: tests, arguments: [-q, --ignore=checks]}}\n")
    assert main(["run"]) == 1
    assert "exit code 5" in capsys.readouterr().out
