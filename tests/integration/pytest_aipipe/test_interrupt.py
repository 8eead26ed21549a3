"""Ctrl-C, as a terminal sends it, while each of the long steps is at work."""

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

WAIT = 90.0

# Only the session itself has MARK in its environment; no child gets it.
HELD = """\
import os
import time


def hold(what):
    if os.environ.get("MARK") and os.environ.get("HOLD") == what:
        with open(os.environ["MARK"], "w"):
            pass
        time.sleep(60)


class Held:
    name = "held"

    def propose(self, gap, scene):
        hold("generation")
        yield []


def pytest_aipipe_engines(config):
    return [Held()]


def pytest_runtest_call(item):
    hold("admission" if "test_calc_add" in item.nodeid else "tests")
"""


def interrupted(project: Any, mark: Path, what: str, *options: str) -> tuple[int, str]:
    """Run a session, interrupt its process group once it holds, and return code and text."""
    environment = {**project.environment, "MARK": str(mark), "HOLD": what}
    words = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:asyncio"]
    # A shell's background job ignores SIGINT, and so would all that it starts.
    command = ["env", "--default-signal=INT", sys.executable, "-B", "-m", "pytest"]
    process = subprocess.Popen(
        [*command, *words, "--ai-diff", *options],
        cwd=project.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + WAIT
        while not mark.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        text, _ = process.communicate(timeout=WAIT)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert mark.exists(), text
    return process.returncode, text


def at_work_on(root: Path) -> list[str]:
    """The command lines of processes that have to do with ``root``."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder.name.isdigit() and str(root) in words:
            found.append(words)
    return found


@pytest.mark.parametrize("what", ["tests", "generation", "admission"])
def test_an_interrupt_leaves_the_tree_clean_and_says_what_was_found(
    project: Any, tmp_path: Path, what: str
) -> None:
    project.commit({"tests/conftest.py": HELD, "calc.py": "def add(a, b):\n    return a + b\n"})
    project.put({"calc.py": CHANGED, "tests/test_calc.py": TESTS})
    engines = "held" if what == "generation" else "local"
    code, text = interrupted(
        project, tmp_path / "mark", what, f"--ai-engine={engines}", "--ai-write=tests/ai"
    )
    assert code == 2, text
    assert "ai-diff" in text
    assert "lines 2/4" in text or what == "tests"
    assert "[defect]" not in text
    assert project.status() == [" M calc.py", " M tests/test_calc.py"]
    assert not list(project.root.rglob("*.part"))
    end = time.monotonic() + 10
    while at_work_on(project.root) and time.monotonic() < end:
        time.sleep(0.1)
    assert not at_work_on(project.root)


CHANGED = """\
def add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    return a + b
"""
TESTS = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
