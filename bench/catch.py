"""Bring real bugs back, and count which of them `pytest --ai-diff` catches.

    python bench/catch.py --mirrors DIR [--corpus DIR] [--work DIR] [--kind fix|quiet]
                          [--only NAME ...] [--limit N]

CORPUS holds `catch.json` and `catch.py`. Of each `fix` the base is the repaired source and the
head brings the bug back, both with the tests of before the fix. It is caught when a test under
`behavior/` passes on the base and fails on head, in two runs of pytest without the plugin, and
runs a changed line: what the report says does not count. A `quiet` case changes comments,
annotations or layout; whatever is reported of it is false. After the corpus' own lines this
prints, of each miss, what the report said was tried, and the figures over all.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


def catch(arguments: argparse.Namespace, out: Path) -> int:
    """Run the corpus' own judge; its lines go to standard output as they are printed."""
    command: list[str] = [sys.executable, str(arguments.corpus / "catch.py")]
    command += [str(arguments.corpus / arguments.manifest)]
    command += ["--mirrors", str(arguments.mirrors), "--work", str(arguments.work)]
    command += ["--project", str(PROJECT), "--out", str(out)]
    if arguments.kind:
        command += ["--kind", arguments.kind]
    if arguments.only:
        command += ["--only", *arguments.only]
    if arguments.limit:
        command += ["--limit", str(arguments.limit)]
    if arguments.args:
        command += [f"--args={arguments.args}"]
    return subprocess.run(command, check=False).returncode


def report_of(work: Path, row: dict[str, Any]) -> dict[str, Any]:
    """The plugin's own report of a case; empty where it wrote none."""
    path = work / "catch" / f"{row['repo']}-{row['sha'][:10]}.report.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def misses(work: Path, rows: list[dict[str, Any]]) -> None:
    """Of each bug that was not caught: what was said, for how long it was looked at."""
    print("\nNot caught")
    for row in rows:
        if row["kind"] != "fix" or row["caught"]:
            continue
        report = report_of(work, row)
        seconds = report.get("timing", {}).get("compare", 0.0)
        print(f"  {row['repo']} {row['sha'][:8]}  {row['subject'][:60]}")
        print(f"    compared for {seconds:.0f} s, said {len(report.get('behavior', []))}")
        for note in report.get("notes", []):
            print(f"    {note}")


def verdicts(work: Path, rows: list[dict[str, Any]]) -> None:
    """What was caught, with both sides as the report has them."""
    print("\nCaught")
    for row in rows:
        if row["caught"]:
            print(f"  {row['repo']} {row['sha'][:8]}  {row['subject'][:60]}")
            for told in report_of(work, row).get("behavior", [])[:3]:
                sides = f"{told['base'][:60]} | {told['head'][:60]}"
                print(f"    {told['symbol']}: {' '.join(sides.split())}  ({told['verdict']})")


def figures(rows: list[dict[str, Any]]) -> None:
    """The three numbers: bugs caught, false reports, seconds a case."""
    fixes = [row for row in rows if row["kind"] == "fix"]
    quiet = [row for row in rows if row["kind"] == "quiet"]
    caught = sum(bool(row["caught"]) for row in fixes)
    false = sum(row["said"] > 0 or bool(row["caught"]) for row in quiet)
    if fixes:
        print(f"\ncaught {caught} of {len(fixes)} ({100 * caught / len(fixes):.0f} %)")
    if quiet:
        print(f"false reports on {false} of {len(quiet)} quiet commits")
    for name, some in (("fix", fixes), ("quiet", quiet)):
        if some:
            seconds = [row["seconds"] for row in some]
            middle = statistics.median(seconds)
            print(f"seconds a {name} case: median {middle:.0f}, most {max(seconds):.0f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, default=PROJECT.parent / "shared" / "corpus")
    parser.add_argument("--manifest", default="catch.json")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--kind", choices=["fix", "quiet"])
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--args", default="", help="more options for the plugin")
    arguments = parser.parse_args()
    for wanted in (arguments.corpus / "catch.py", arguments.corpus / arguments.manifest):
        if not wanted.is_file():
            parser.error(f"there is no {wanted}: docs/measuring.md says what a corpus has")
    arguments.work.mkdir(parents=True, exist_ok=True)
    out = arguments.work / "catch-rows.json"
    out.unlink(missing_ok=True)
    code = catch(arguments, out)
    rows = json.loads(out.read_text()) if out.exists() else []
    if not rows:
        print("no case was tried", file=sys.stderr)
        return code or 1
    verdicts(arguments.work, rows)
    misses(arguments.work, rows)
    figures(rows)
    return code


if __name__ == "__main__":
    sys.exit(main())
