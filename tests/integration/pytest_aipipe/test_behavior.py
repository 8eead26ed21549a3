"""Base against head in a session: what is told, what is written, and what is never run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

BASE = """\
def area(w, h):
    if w < 0:
        raise ValueError("negative")
    return w * h
"""
HEAD = """\
def area(w, h):
    return w * h
"""
TESTS = "from calc import area\n\n\ndef test_area():\n    assert area(3, 4) == 12\n"
QUICK = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:hypothesispytest")
OPTIONS = (
    "--ai-diff",
    "--ai-behavior=on",
    "--ai-budget=30",
    "--ai-report=json:out.json",
    "--ai-report=term",
)


@pytest.fixture
def losing(empty_project: Any) -> Any:
    """A project whose change only takes lines away: a guard."""
    empty_project.commit(
        {
            "calc.py": BASE,
            "tests/test_calc.py": TESTS,
            "pytest.ini": "[pytest]\npythonpath = .\n",
            ".gitignore": "out.json\n",
        }
    )
    empty_project.put({"calc.py": HEAD})
    return empty_project


def catching(project: Any, folder: str) -> list[str]:
    return sorted(f.name for f in (project.root / folder).glob("*.py") if f.name != "conftest.py")


def test_a_lost_guard_is_told_and_its_test_is_run_only_when_it_is_named(losing: Any) -> None:
    ran = losing.pytest(*OPTIONS, "--ai-write=tests/ai")
    assert ran.code == 0, ran.text
    assert "1 passed" in ran.text
    (told,) = losing.report()["behavior"]
    assert (told["symbol"], told["input"]) == ("calc.area", "area(-1, 1)")
    assert (told["base"], told["head"]) == ("ValueError: negative", "no error")
    assert (told["verdict"], told["kind"], told["path"]) == ("unannounced", "error", "calc.py")
    assert told["hunk"]["removed"] == ["    if w < 0:", '        raise ValueError("negative")']
    assert told["test"].startswith("tests/ai/behavior/test_calc_area_raises_value_error")
    assert "| no error" in ran.text
    assert losing.pytest("-p", "no:aipipe").text.count("1 passed") == 1
    assert "1 failed" in losing.pytest("-p", "no:aipipe", "tests/ai/behavior").text
    losing.put({"calc.py": BASE})
    assert "1 passed" in losing.pytest("-p", "no:aipipe", "tests/ai/behavior").text
    assert [f.name for f in (losing.root / "tests/ai").iterdir() if f.is_file()] == []


def test_what_was_said_once_is_said_again_and_vanishes_with_its_cause(losing: Any) -> None:
    for _ in range(2):
        losing.pytest(*OPTIONS)
        report = losing.report()
        assert [row["verdict"] for row in report["behavior"]] == ["unannounced"]
        assert [file["path"] for file in report["change"]["files"]] == ["calc.py"]
    assert len(catching(losing, ".aipipe/generated/behavior")) == 1
    assert losing.status() == [" M calc.py"]
    losing.put({"calc.py": BASE.replace("w, h", "w: int, h: int")})
    losing.pytest(*OPTIONS)
    assert losing.report()["behavior"] == []
    assert not (losing.root / ".aipipe/generated/behavior").exists()


def test_an_accepted_test_states_what_head_does_and_stays(losing: Any) -> None:
    losing.pytest(*OPTIONS, "--ai-write=tests/ai")
    (name,) = catching(losing, "tests/ai/behavior")
    ran = losing.pytest(*OPTIONS, "--ai-write=tests/ai", f"--ai-behavior-accept={name}")
    assert "Accepted: tests/ai/" in ran.text
    assert not (losing.root / "tests/ai/behavior").exists()
    assert catching(losing, "tests/ai") == [name]
    assert "result == -1" in (losing.root / "tests/ai" / name).read_text("utf-8")
    assert "2 passed" in losing.pytest("-p", "no:aipipe").text
    losing.put({"calc.py": BASE})
    assert "1 failed" in losing.pytest("-p", "no:aipipe").text


def test_accepting_in_one_go_compares_first(losing: Any) -> None:
    losing.pytest(*OPTIONS, "--ai-write=tests/ai", "--ai-behavior-accept")
    assert len(losing.report()["behavior"]) == 1
    assert len(catching(losing, "tests/ai")) == 1
    assert not (losing.root / "tests/ai/behavior").exists()


def test_nothing_to_accept_is_said(losing: Any) -> None:
    losing.put({"calc.py": BASE + "\n\nONE = 1\n"})
    ran = losing.pytest(*OPTIONS, "--ai-behavior-accept")
    assert "[nothing-to-accept]" in ran.text


@pytest.mark.parametrize("option", ["--ai-behavior=off", "--ai-engine=none", "--ai-budget=0"])
def test_who_does_not_ask_gets_no_comparison(losing: Any, option: str) -> None:
    losing.pytest(*OPTIONS, option)
    assert losing.report()["behavior"] == []
    assert "compare" not in losing.report()["timing"]
    assert not (losing.root / ".aipipe/base").exists()


def test_the_base_is_made_once_and_hidden_from_pytest(losing: Any) -> None:
    losing.put({"pytest.ini": "[pytest]\npythonpath = .\nnorecursedirs = nothing\n"})
    losing.pytest(*OPTIONS)
    (made,) = (f for f in (losing.root / ".aipipe/base").iterdir() if f.is_dir())
    marker = made / "marker"
    marker.touch()
    losing.pytest(*OPTIONS)
    assert marker.exists()
    assert "1 passed" in losing.pytest("-p", "no:aipipe").text


def test_an_interrupt_while_comparing_leaves_nothing_half_done(losing: Any) -> None:
    base = losing.root / ".aipipe/base"
    command = ["env", "--default-signal=INT", sys.executable, "-B", "-m", "pytest", *QUICK]
    process = subprocess.Popen(
        [*command, "--ai-diff", "--ai-behavior=on", "--ai-budget=120", "--ai-write=tests/ai"],
        cwd=losing.root,
        env=losing.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 60
        while not at_work_on(base) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        text, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 2, text
    assert "[defect]" not in text
    assert losing.status() == [" M calc.py"]
    assert not [place for place in base.iterdir() if place.name.startswith("arena-")]
    end = time.monotonic() + 10
    while at_work_on(base) and time.monotonic() < end:
        time.sleep(0.1)
    assert not at_work_on(base)


def at_work_on(folder: Path) -> list[str]:
    """The command lines of processes that name ``folder``: the base's side among them."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            words = (
                (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            )
        except OSError:
            continue
        if process.name.isdigit() and str(folder) in words:
            found.append(words)
    return found


def test_what_a_build_left_beside_the_code_is_there_on_the_base_too(empty_project: Any) -> None:
    empty_project.commit(
        {
            "pkg/__init__.py": "from pkg._version import VERSION\n",
            "pkg/calc.py": BASE,
            "tests/test_calc.py": TESTS.replace("calc", "pkg.calc", 1),
            "pytest.ini": "[pytest]\npythonpath = .\n",
            ".gitignore": "out.json\npkg/_version.py\n",
        }
    )
    empty_project.put({"pkg/calc.py": HEAD, "pkg/_version.py": "VERSION = 1\n"})
    ran = empty_project.pytest(*OPTIONS)
    assert [row["symbol"] for row in empty_project.report()["behavior"]] == ["pkg.calc.area"], ran
