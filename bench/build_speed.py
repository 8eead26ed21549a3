"""How long a decision takes for a context of 10,000 files, beside a fully cached build.

    python bench/build_speed.py [--files N] [--rounds N] [--no-docker]

Cold is the first decision ever: every file is read. Warm is the next one. Both are whole
processes as a user starts them; the build is ``docker build`` of the same, all of it cached. On
a machine that does other things too, the processor time says more than the clock.
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
import time
from pathlib import Path

DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nRUN echo built\n"


def make_context(root: Path, files: int) -> None:
    """Write ``files`` small files in folders of a hundred."""
    for index in range(files):
        path = root / f"package{index // 1000}" / f"module{index // 100 % 10}" / f"file{index}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"value = {index}\n" * 20, encoding="utf-8")
    (root / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (root / ".dockerignore").write_text(".aipipe\n.git\n**/*.pyc\n", encoding="utf-8")


def compile_packages() -> None:
    """Compile what is measured, as pip does when it installs: a clone may not have been."""
    packages = [
        str(Path(__file__).parent.parent / name) for name in ("aipipe_build", "aipipe_core")
    ]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *packages], check=True)


def timed(command: list[str], folder: Path, busy: list[float] | None = None) -> float:
    """Run a command and return its milliseconds; those of the processor are added to ``busy``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=os.environ)
    took = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if busy is not None:
        user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        busy.append((user + system) * 1000)
    return took * 1000


def show(label: str, values: list[float]) -> None:
    """Print one line of the table."""
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{label:<34} min {low:8.0f} ms   median {middle:8.0f} ms   max {high:8.0f} ms")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-docker", action="store_true")
    options = parser.parse_args()
    tool = [sys.executable, "-m", "aipipe_build.cli"]
    build = ["docker", "build", "--quiet", "."]
    compile_packages()
    with tempfile.TemporaryDirectory(prefix="aipipe-speed-") as name:
        root = Path(name)
        make_context(root, options.files)
        cold: list[float] = []
        warm: list[float] = []
        busy: list[float] = []
        built: list[float] = []
        start: list[float] = []
        for _ in range(options.rounds):
            shutil.rmtree(root / ".aipipe", ignore_errors=True)
            cold.append(timed([*tool, "decide", "--json"], root))
        if not options.no_docker:
            timed(build, root)
        timed([*tool, "record"], root)
        time.sleep(0.1)
        timed([*tool, "decide", "--json"], root)
        for _ in range(options.rounds):
            # Side by side, so that what else the machine does falls on both.
            warm.append(timed([*tool, "decide", "--json"], root, busy))
            start.append(timed([sys.executable, "-c", "pass"], root))
            if not options.no_docker:
                built.append(timed(build, root))
        print(f"{options.files} files, {options.rounds} rounds, whole processes")
        show("decision, cold", cold)
        show("decision, warm", warm)
        show("(its processor time)", busy)
        show("(the interpreter alone)", start)
        if built:
            show("docker build, all cached", built)
    return 0


if __name__ == "__main__":
    sys.exit(main())
