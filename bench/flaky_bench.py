"""How many flaky tests of bench/flaky_suite/ the hunt finds, explains and mends.

    python bench/flaky_bench.py [--minutes N] [--only WORDS] [--suite DIR --truth FILE]
        [--keep FILE]

The suite is copied to a folder of its own and pytest --ai-flaky-hunt runs there; what is
flaky and why stands in a file beside the suite that the tool never reads. A test is found
when it is reported, explained when the cause is the truth's, mended when a mend held. A
steady test that is reported is a false alarm, printed by name. --only takes what -k of pytest
takes: the hunt is then told of nothing but those tests, and only they are counted; a test that
another one pollutes is flaky only where both are among them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent


def read_truth(file: Path) -> dict[str, str]:
    causes = tomllib.loads(file.read_text("utf-8"))
    return {f"tests/{name}": cause for cause, names in causes.items() for name in names}


def hunt(suite: Path, minutes: str, only: str, collected: list[str]) -> list[dict[str, str]]:
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / suite.name
        shutil.copytree(suite, project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        words = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider"]
        words += ["-k", only] if only else []
        path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path}
        listed = subprocess.run([*words, "--co"], cwd=project, env=environment, check=True,
                                capture_output=True, text=True)  # fmt: skip
        collected += [line for line in listed.stdout.splitlines() if "::" in line]
        words += [f"--ai-flaky-hunt={minutes}" if minutes else "--ai-flaky-hunt"]
        words += ["--ai-report=json:out.json"]
        subprocess.run(words, cwd=project, env=environment, check=False)
        report = json.loads((project / "out.json").read_text("utf-8"))
    return list(report["flaky"])


def is_mended(row: dict[str, str]) -> bool:
    return bool(row["fix"]) and not row["fix"].startswith("quarantine")


def table(truth: dict[str, str], found: dict[str, dict[str, str]]) -> None:
    print(f"\n{'cause':22} {'flaky':>5} {'found':>6} {'right cause':>12} {'mended':>7}")
    sums: Counter[str] = Counter()
    for cause in dict.fromkeys(truth.values()):
        names = [name for name, true in truth.items() if true == cause]
        have = [found[name] for name in names if name in found]
        right = [row for row in have if row["cause"] == cause]
        mended = [row for row in have if is_mended(row)]
        print(f"{cause:22} {len(names):5} {len(have):6} {len(right):12} {len(mended):7}")
        counted = {"all": names, "found": have, "right": right, "mended": mended}
        sums.update({key: len(rows) for key, rows in counted.items()})
    print(f"{'all':22} {sums['all']:5} {sums['found']:6} {sums['right']:12} {sums['mended']:7}")
    share = {key: 100 * sums[key] / sums["all"] for key in ("found", "right", "mended")}
    print(
        f"found {share['found']:.1f} %, with the right cause {share['right']:.1f} %, "
        f"mended {share['mended']:.1f} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", type=Path, default=HERE / "flaky_suite")
    parser.add_argument("--truth", type=Path, default=HERE / "flaky_truth.toml")
    parser.add_argument("--minutes", default="")
    parser.add_argument("--only", default="", metavar="WORDS")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    truth, collected = read_truth(arguments.truth), []
    begun = time.monotonic()
    rows = hunt(arguments.suite, arguments.minutes, arguments.only, collected)
    seconds = time.monotonic() - begun
    if arguments.keep:
        arguments.keep.write_text(json.dumps(rows, indent=1), "utf-8")
    found = {row["nodeid"]: row for row in rows}
    strange = sorted(set(truth) - set(collected))
    if arguments.only:
        truth = {name: cause for name, cause in truth.items() if name in collected}
    elif strange:
        sys.exit(f"the truth names tests that do not exist: {', '.join(strange)}")
    table(truth, found)
    steady = [name for name in collected if name not in truth]
    alarms = [name for name in steady if name in found]
    print(f"{len(steady)} steady tests, {len(alarms)} of them called flaky; {seconds:.0f} s")
    for name in alarms:
        print(f"  false alarm: {name} ({found[name]['cause']}): {found[name]['evidence']}")
    for name, cause in truth.items():
        if name not in found:
            print(f"  missed: {name} ({cause})")
        elif found[name]["cause"] != cause:
            print(f"  {name}: {found[name]['cause']} and not {cause}: {found[name]['evidence']}")
        elif not is_mended(found[name]):
            print(f"  no mend: {name} ({cause})")


if __name__ == "__main__":
    main()
