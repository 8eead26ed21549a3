"""What the plugin costs a pytest start when it is not asked for anything.

    python bench/startup.py [--runs N]

Both sides run in the same environment, and every other plugin that is installed there is
blocked by name so that it adds neither time nor noise. Bare pytest is `-p no:aipipe`: the entry
point is found and not imported. The two alternate, A B A B ..., so that a machine that drifts
drifts for both; the figure is the median of the paired differences in CPU time, with its
interval. An A/A pair (bare against bare) is printed beside it, as the noise that the machine
adds by itself. Byte code is cached, as after a user's first start: a variable of this shell that
forbids it would have our modules compiled at every start, and pytest's, which the installer has
compiled, at none.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path

OTHERS = sorted({one.name for one in entry_points(group="pytest11")} - {"aipipe"})
WITH = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
WITH += [word for name in OTHERS for word in ("-p", f"no:{name}")]
BARE = [*WITH, "-p", "no:aipipe"]
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: list[str], folder: Path) -> float:
    """CPU seconds (user and system) of one run: what the shared machine disturbs least."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def of_the_median(values: list[float]) -> tuple[float, float]:
    """A 95 % interval of the median from its order statistics: no shape is assumed."""
    ordered, half = sorted(values), 0.98 * math.sqrt(len(values))
    low = max(0, math.floor(len(values) / 2 - half))
    return ordered[low], ordered[len(values) - 1 - low]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")
        for command in (BARE, WITH):
            seconds(command, folder)
        with_plugin, noise, bare = [], [], []
        for _ in range(runs):
            first, second, third = (seconds(c, folder) for c in (BARE, WITH, BARE))
            bare.append(first)
            with_plugin.append(second - (first + third) / 2)
            noise.append(third - first)
    low, high = of_the_median(with_plugin)
    print(f"bare pytest, median of {runs}: {statistics.median(bare) * 1e3:.1f} ms of CPU")
    print(
        f"plugin adds, median of {runs} pairs: {statistics.median(with_plugin) * 1e3:+.2f} ms"
        f" (95 % interval {low * 1e3:+.2f} .. {high * 1e3:+.2f})"
    )
    print(f"bare against bare, the same way: {statistics.median(noise) * 1e3:+.2f} ms")


if __name__ == "__main__":
    main()
