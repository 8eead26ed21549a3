from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[3]
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
STRANGE = ("GIT_", "PYTEST_", "COV_", "COVERAGE_", "AIPIPE_")


class Project:
    """A folder with tests, and a real pytest in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def put(self, **files: str) -> None:
        for name, text in files.items():
            (self.root / f"{name}.py").write_text(text, encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.root / f"{name}.py").read_text(encoding="utf-8")

    def pytest(self, *arguments: str) -> Any:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(STRANGE)}
        return subprocess.run(
            [sys.executable, "-B", "-m", "pytest", *QUICK, *arguments],
            cwd=self.root,
            env={**kept, "PYTHONPATH": str(TOP)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def hunt(self, *arguments: str) -> dict[str, Any]:
        """The rows of the report by the test's name."""
        self.last = self.pytest("--ai-flaky-hunt", "--ai-report=json:out.json", *arguments)
        report = json.loads((self.root / "out.json").read_text("utf-8"))
        self.report = report
        return {row["nodeid"].rpartition("::")[2]: row for row in report["flaky"]}


@pytest.fixture
def folder(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")
