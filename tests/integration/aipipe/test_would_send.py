"""``aipipe doctor --would-send``: what would leave, and nothing leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.model_server import ModelServer

pytestmark = pytest.mark.slow
TOP = Path(__file__).parents[3]

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2"
CALC = "def add(a, b):\n    return a + b\n"
CHANGED = f"""\
import hashlib


def add(a, b):
    # {TOKEN}
    if hashlib.sha256(f"{{a}}{{b}}".encode()).hexdigest()[:4] == "aaaa":
        return "open"
    return a + b
"""


def test_the_doctor_prints_each_question_as_it_would_leave_and_sends_none(
    tmp_path: Path, server: ModelServer
) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    files = {
        "calc.py": CALC,
        "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
        "pytest.ini": "[pytest]\npythonpath = .\nai_budget = 12\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "state")
    (tmp_path / "calc.py").write_text(CHANGED)
    strange = ("GIT_", "PYTEST_", "COV_", "COVERAGE_", "AIPIPE_", "OPENAI_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    done = subprocess.run(
        [sys.executable, "-m", "aipipe", "doctor", "--would-send", "--json", "-"],
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": str(TOP), "OPENAI_BASE_URL": server.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    (question,) = found["questions"]
    assert question["to"] in server.url
    assert question["about"] == "calc.py::add"
    assert 'return "open"' in question["sent"]["messages"][1]["content"]
    assert TOKEN not in done.stdout
    assert server.requests == []
