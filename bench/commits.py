"""Run `pytest --ai-diff` over real commits, and say how far it reaches.

    python bench/commits.py --mirrors DIR [--corpus DIR] [--work DIR] [--only NAME ...] [--limit N]

CORPUS holds `dev.json` (real commits of public projects, the tests of their authors taken
away) and `patchcov.py`, which runs the plugin on each and then counts the covered lines and
branches without it: what the plugin says of itself is not believed. MIRRORS holds clones of
the projects with their history. After patchcov's own table this prints, from the reports:
technique by candidates tried, tests admitted, lines and branches closed, seconds; the number
of tests a commit; the gaps that stay, each with why; and a gallery of generated tests picked
at random.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


def patchcov(arguments: argparse.Namespace, out: Path) -> int:
    """Run the corpus' own measure; its table goes to standard output as it is printed."""
    command: list[str] = [sys.executable, str(arguments.corpus / "patchcov.py")]
    command += [str(arguments.corpus / arguments.manifest)]
    command += ["--mirrors", str(arguments.mirrors), "--work", str(arguments.work)]
    command += ["--project", str(PROJECT), "--out", str(out)]
    if arguments.only:
        command += ["--only", *arguments.only]
    if arguments.limit:
        command += ["--limit", str(arguments.limit)]
    if arguments.args:
        command += [f"--args={arguments.args}"]
    return subprocess.run(command, check=False).returncode


def reports(work: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The plugin's own report of each case, with the case's name."""
    found = []
    for row in rows:
        path = work / "trees" / f"{row['repo']}-{row['sha'][:10]}.report.json"
        if path.exists():
            report = json.loads(path.read_text())
            found.append({**report, "case": f"{row['repo']} {row['sha'][:8]}"})
    return found


def technique_table(found: list[dict[str, Any]]) -> None:
    """Technique by what it closed."""
    keys = ("tried", "admitted", "lines", "branches", "seconds")
    sums: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: dict.fromkeys(keys, 0.0))
    for report in found:
        for row in report.get("techniques", []):
            for key in keys:
                sums[row["engine"], row["technique"]][key] += row[key]
    print(f"\n{'engine':8} {'technique':24}" + "".join(f"{key:>10}" for key in keys))
    for (engine, technique), row in sorted(sums.items(), key=lambda item: -item[1]["lines"]):
        figures = "".join(f"{row[key]:10.0f}" for key in keys)
        print(f"{engine:8} {technique:24}{figures}")


def thrift(found: list[dict[str, Any]]) -> None:
    """How many tests a commit got, and how strong they are."""
    admitted = [sum(t["status"] == "admitted" for t in r["tests"]) for r in found]
    total = sum(t["mutants"]["total"] for r in found for t in r["tests"])
    killed = sum(t["mutants"]["killed"] for r in found for t in r["tests"])
    if admitted:
        print(f"\ntests a commit: median {statistics.median(admitted):.0f}, most {max(admitted)}")
    if total:
        print(f"mutants on changed lines, by the reports: {killed}/{total} killed")


def open_gaps(found: list[dict[str, Any]]) -> None:
    """What stays uncovered, and why."""
    print("\nGaps that stay")
    for report in found:
        for gap in report["gaps"]:
            lines = ",".join(map(str, gap["lines"])) or "branch only"
            print(f"  {report['case']}  {gap['path']}:{lines}  {gap['symbol']}: {gap['why']}")


def gallery(work: Path, rows: list[dict[str, Any]], size: int, seed: int) -> None:
    """Generated tests picked at random, whole."""
    tests = []
    for row in rows:
        tree = work / "trees" / f"{row['repo']}-{row['sha'][:10]}"
        for path in sorted(tree.rglob("ai_generated/*.py")):
            text = path.read_text()
            tests += [
                (f"{row['repo']} {row['sha'][:8]} {path.name}", ast.get_source_segment(text, node))
                for node in ast.parse(text).body
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                and node.name.lower().startswith("test")
            ]
    for where, source in random.Random(seed).sample(tests, min(size, len(tests))):
        print(f"\n# {where}\n{source}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, default=PROJECT.parent / "shared" / "corpus")
    parser.add_argument("--manifest", default="dev.json")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--args", default="", help="more options for the plugin")
    parser.add_argument("--gallery", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    out = arguments.work / "rows.json"
    code = patchcov(arguments, out)
    rows = json.loads(out.read_text()) if out.exists() else []
    found = reports(arguments.work, rows)
    technique_table(found)
    thrift(found)
    open_gaps(found)
    gallery(arguments.work, rows, arguments.gallery, arguments.seed)
    return code


if __name__ == "__main__":
    sys.exit(main())
