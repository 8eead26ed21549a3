"""In a run with --ai-diff a failure that the change cannot have caused is rerun."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

CALC = "def add(a, b):\n    return a + b\n"
TESTS = """\
import pathlib

MARK = pathlib.Path({mark!r})


def test_fails_once():
    first = not MARK.exists()
    MARK.touch()
    assert not first


def test_fails_always():
    assert 1 == 2
"""


def git(folder: Any, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    subprocess.run(["git", *who, *words], cwd=folder.root, env=kept, check=True)


def run(folder: Any, *words: str) -> tuple[Any, dict[str, Any]]:
    ran = folder.pytest("--ai-diff", "--ai-engine=none", "--ai-select=off", "--ai-behavior=off",
                        "--ai-report=json:out.json", "--ai-report=term", *words)  # fmt: skip
    return ran, json.loads((folder.root / "out.json").read_text("utf-8"))


@pytest.fixture
def changed(folder: Any, tmp_path: Any) -> Any:
    git(folder, "init", "-q", "-b", "main")
    folder.put(
        calc=CALC,
        test_calc="import calc\n\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n",
        test_other=TESTS.format(mark=str(tmp_path / "mark")),
    )
    (folder.root / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "state")
    return folder


@pytest.mark.slow
def test_a_suspect_that_passes_once_is_flaky_and_one_that_never_does_is_told_with_its_rate(
    changed: Any,
) -> None:
    changed.put(calc="def add(a, b):\n    # sums\n    return 0 + a + b\n")
    ran, report = run(changed, "--ai-flaky-reruns=5")
    assert ran.returncode == 1
    (row,) = report["flaky"]
    assert row["nodeid"] == "test_other.py::test_fails_once"
    assert "ran no changed line" in row["evidence"]
    assert "test_fails_always (ran no changed line) failed in all 5 reruns" in ran.stdout
    assert "passes in 45 % of its runs" in ran.stdout


@pytest.mark.slow
def test_a_failure_in_the_reach_of_the_change_is_no_suspect(changed: Any) -> None:
    changed.put(calc="def add(a, b):\n    return a - b\n")
    (changed.root.parent / "mark").touch()
    ran, report = run(changed, "--deselect", "test_other.py")
    assert ran.returncode == 1
    assert report["flaky"] == []
    assert "ai-flaky" not in ran.stdout


@pytest.mark.slow
def test_a_verdict_that_changed_on_the_same_code_is_a_suspect(changed: Any) -> None:
    changed.put(calc="def add(a, b):\n    return 0 + a + b\n")
    words = ("--ai-flaky-reruns=2", "--deselect", "test_other.py::test_fails_always")
    (changed.root.parent / "mark").touch()
    assert run(changed, *words)[0].returncode == 0
    (changed.root.parent / "mark").unlink()
    ran, report = run(changed, *words)
    assert ran.returncode == 1
    assert "passed in 1 of 1 earlier runs of the same code" in report["flaky"][0]["evidence"]
