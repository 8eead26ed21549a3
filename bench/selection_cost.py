"""What making the map costs: a whole first run that records it, against pytest alone.

    python bench/selection_cost.py TREE [TREE ...] [--path SRC] [--runs 3] [PYTEST WORDS]

Each TREE is a checkout whose tests the running Python can run. Both run in turns, each run in
a process of its own, the map made anew each time; what counts is the processor's time of all
processes, which other work on the machine changes least. The ratio of the medians is printed,
of the whole processes and without what starting and collecting takes in both.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PLAIN = ["-p", "no:aipipe"]
MAP = ["--ai-diff=worktree", "--ai-select=off", "--ai-engine=none", "--ai-behavior=off",
       "--ai-flaky-reruns=0", "--ai-report=json:/dev/null"]  # fmt: skip


def seconds(tree: Path, path: str, words: list[str]) -> float:
    """Run pytest in ``tree`` and return the processor's time that it took."""
    shutil.rmtree(tree / ".aipipe", ignore_errors=True)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tree / path), str(PROJECT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=",
               "-W", "ignore", *words]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{tree}: pytest came to no end:\n{done.stdout.decode()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trees", type=Path, nargs="+")
    parser.add_argument("--path", default="src", help="what the tests import from, in each TREE")
    parser.add_argument("--runs", type=int, default=3)
    asked, more = parser.parse_known_args()
    sides = {"plain": PLAIN, "map": MAP}
    for source in asked.trees:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / source.name
            shutil.copytree(source, tree, symlinks=True)
            took: dict[str, list[float]] = {"plain": [], "map": [], "idle": []}
            for _ in range(asked.runs):
                for name, words in sides.items():
                    took[name].append(seconds(tree, asked.path, [*words, *more]))
                took["idle"].append(seconds(tree, asked.path, [*PLAIN, "--co", *more]))
        middle = {name: statistics.median(times) for name, times in took.items() if times}
        tests = max(middle["plain"] - middle["idle"], 0.01)
        print(
            f"{source.name}: alone {middle['plain']:.2f} s of processor, with the map made "
            f"{middle['map']:.2f} s: ratio {middle['map'] / middle['plain']:.2f} "
            f"(of the tests alone {(middle['map'] - middle['idle']) / tests:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
