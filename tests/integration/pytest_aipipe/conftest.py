from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

# Plugins of this environment that no test here needs, and that take time to load.
QUICK = [
    "-p",
    "no:cacheprovider",
    "-p",
    "no:asyncio",
    "-p",
    "no:hypothesispytest",
    "-p",
    "no:anyio",
]
TOP = Path(__file__).parents[3]


def clean_environment() -> dict[str, str]:
    """An environment as a user's shell has it: nothing of the pytest that runs us."""
    strange = ("GIT_", "PYTEST_", "COV_", "COVERAGE_", "AIPIPE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    return {**kept, "PYTHONPATH": str(TOP), "GIT_CONFIG_GLOBAL": os.devnull}


@dataclass
class Ran:
    code: int
    text: str


class Project:
    """A real git repository with a real pytest beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Comparing takes its share of the budget each time; test_behavior asks for it.
        self.environment = {**clean_environment(), "AIPIPE_BEHAVIOR": "off"}
        root.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        done = subprocess.run(
            ["git", *who, *arguments],
            cwd=self.root,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def put(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def commit(self, files: dict[str, str] | None = None) -> None:
        self.put(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "state")

    def pytest(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        quick: Sequence[str] = QUICK,
    ) -> Ran:
        done = subprocess.run(
            [sys.executable, "-B", "-m", "pytest", *quick, *arguments],
            cwd=self.root,
            env={**self.environment, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    def report(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.root / "out.json").read_text("utf-8"))
        return loaded

    def status(self) -> list[str]:
        """What git sees changed or new, our own folder apart."""
        return [line for line in self.git("status", "--porcelain").splitlines() if line]


CALC = """\
def add(a, b):
    return a + b
"""
CALC_CHANGED = """\
def add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    return a + b
"""
TESTS = {
    "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef one():\n    return 1\n",
    "tests/test_calc.py": "from calc import add\n\n\ndef test_add(one):\n    assert add(one, 2) == 3\n",
    "tests/test_other.py": "def test_nothing():\n    assert True\n",
}


@pytest.fixture
def empty_project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.fixture
def project(empty_project: Project) -> Project:
    """A flat project with one changed function, two of its changed lines untested."""
    empty_project.commit({"calc.py": CALC, "pytest.ini": "[pytest]\npythonpath = .\n", **TESTS})
    empty_project.put({"calc.py": CALC_CHANGED})
    return empty_project


@pytest.fixture
def make_project(tmp_path: Path) -> Any:
    def make(name: str) -> Project:
        return Project(tmp_path / name)

    return make
