"""The other end of ``selection_fork.py``: a warm process of one of the two environments."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


class Warm:
    """A process of an environment that forks for each run."""

    def __init__(self, python: Path) -> None:
        command = [python, PROJECT / "bench" / "selection_fork.py"]
        env = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(PROJECT)}
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=env,
        )  # fmt: skip

    def ask(self, request: dict[str, Any]) -> int | None:
        """Run pytest, and return its exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        found: int | None = json.loads(self.process.stdout.readline())
        return found
