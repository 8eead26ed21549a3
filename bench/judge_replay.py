"""How fast `aipipe-deploy replay` judges a long recording.

    python bench/judge_replay.py [--windows 10000] [--seconds 600] [--jobs 2]

Two hundred simulated windows (half of them good, a quarter with 5 % errors, a quarter twice as
slow; 50 requests a second, a canary of 10 %, a line a second) are repeated under new names and
piped into the command. Prints windows and lines a second, and the verdicts. Needs numpy.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import IO

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from judge_streams import Scenario, constant, windows  # noqa: E402 - a script beside this one

SEVERAL = 200


def recorded(seconds: float) -> list[str]:
    """Return the ticks of windows as a recording has them, a text for each window."""
    good = Scenario("A/A", seconds=seconds)
    kinds = (
        good,
        replace(good, new_rate=constant(0.05)),
        good,
        replace(good, new_slow=constant(2.0)),
    )
    made = [windows(kind, SEVERAL // len(kinds), 1 + seed) for seed, kind in enumerate(kinds)]
    return ["".join(map(line, ticks)) for several in zip(*made, strict=True) for ticks in several]


def line(tick: object) -> str:
    """Return one tick as a line."""
    t, old, new, _ = tick  # type: ignore[misc]
    counts = {
        name: {"requests": arm.requests, "bad": arm.bad,
               "slow": dict(zip(("p50", "p95", "p99"), arm.slow, strict=True))}
        for name, arm in (("old", old), ("new", new))
    }  # fmt: skip
    return json.dumps({"t": t, **counts}) + "\n"


def feed(pipe: IO[str], texts: list[str], count: int) -> None:
    """Write the whole recording."""
    with pipe:
        for index in range(count):
            pipe.write(f'{{"window": "w{index}", "dispersion": 1.0}}\n')
            pipe.write(texts[index % len(texts)])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--windows", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    texts = recorded(options.seconds)
    lines = sum(texts[i % len(texts)].count("\n") + 1 for i in range(options.windows))
    began = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "aipipe_deploy.cli", "replay", "-", "--json",
         "--seconds", str(options.seconds), "--jobs", str(options.jobs)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": sys.path[0]},
    )  # fmt: skip
    assert child.stdin
    assert child.stdout
    writer = threading.Thread(target=feed, args=(child.stdin, texts, options.windows))
    writer.start()
    said = Counter(json.loads(text)["verdict"] for text in child.stdout)
    writer.join()
    child.wait()
    took = time.monotonic() - began
    print(
        f"{options.windows} windows, {lines} lines, {options.jobs} processes: {took:.1f} s,"
        f" {options.windows / took:.0f} windows and {lines / took:.0f} lines a second; {dict(said)}"
    )
    return 0 if child.returncode == 0 and said.total() == options.windows else 1


if __name__ == "__main__":
    sys.exit(main())
