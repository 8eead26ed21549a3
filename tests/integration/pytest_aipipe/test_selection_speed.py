from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SPEED = Path(__file__).parents[3] / "bench" / "selection_speed.py"


def test_the_measurement_of_a_decision_decides() -> None:
    small = ["--tests=200", "--files=20", "--runs=1"]
    ran = subprocess.run(
        [sys.executable, SPEED, *small], capture_output=True, text=True, check=True, timeout=300
    )
    told = re.match(r"200 tests, 20 files, 12 files a test: (\d+) selected", ran.stdout)
    assert told, ran.stdout
    assert 0 < int(told[1]) < 200
