"""Run `pytest --ai-diff` over real commits, and say how far it reaches.

    python bench/commits.py --mirrors DIR [--corpus DIR] [--work DIR] [--only NAME ...] [--limit N]

CORPUS holds `dev.json` (real commits of public projects, the tests of their authors taken
away) and `patchcov.py`, which runs the plugin on each and then counts the covered lines and
branches without it: what the plugin says of itself is not believed. MIRRORS holds clones of
the projects with their history. After patchcov's own table this prints, from the reports:
technique by candidates tried, tests admitted, lines and branches closed, seconds; the number
of tests a commit; the seconds a commit without what its selected tests take by themselves (run
once more for that, by a plain pytest); the mutants of changed lines that these tests notice;
the gaps that stay, each with why; and a gallery of generated tests picked at random. With
--alone N each technique is also tried alone, on the first N commits.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


def patchcov(arguments: argparse.Namespace, out: Path, args: str = "") -> int:
    """Run the corpus' own measure; its table goes to standard output as it is printed."""
    command: list[str] = [sys.executable, str(arguments.corpus / "patchcov.py")]
    command += [str(arguments.corpus / arguments.manifest)]
    command += ["--mirrors", str(arguments.mirrors), "--work", str(arguments.work)]
    command += ["--project", str(PROJECT), "--out", str(out)]
    if arguments.only:
        command += ["--only", *arguments.only]
    if arguments.limit:
        command += ["--limit", str(arguments.limit)]
    if both := f"{arguments.args} {args}".strip():
        command += [f"--args={both}"]
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
    """How many tests a commit got, and how long they took to make."""
    admitted = [sum(t["status"] == "admitted" for t in r["tests"]) for r in found]
    if admitted:
        print(f"\ntests a commit: median {statistics.median(admitted):.0f}, most {max(admitted)}")
        seconds = [r["timing"].get("generate", 0.0) for r in found]
        print(f"seconds of generation: median {statistics.median(seconds):.0f}")


def own_seconds(
    arguments: argparse.Namespace, case: dict[str, Any], report: dict[str, Any]
) -> float:
    """How long a plain pytest takes for the tests that were selected."""
    tree = arguments.work.resolve() / "trees" / f"{case['repo']}-{case['sha'][:10]}"
    python = arguments.work.resolve() / "venvs" / case["repo"] / "bin" / "python"
    chosen = tree.parent / f"{tree.name}.selected"
    chosen.write_text("\n".join(report["selection"]["reasons"]))
    command = [str(python), "-m", "pytest", "-q", "-p", "no:aipipe", "-p", "no:cacheprovider"]
    command += [] if case.get("keep_addopts") else ["-o", "addopts="]
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / case["path"]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    started = time.monotonic()
    subprocess.run(
        [*command, "--continue-on-collection-errors", f"@{chosen}"],
        cwd=tree, env=environment, capture_output=True, check=False,
    )  # fmt: skip
    return time.monotonic() - started


def time_beside(
    arguments: argparse.Namespace, rows: list[dict[str, Any]], found: list[dict[str, Any]]
) -> None:
    """How long a commit takes beside its selected tests."""
    cases = {
        f"{case['repo']} {case['sha'][:8]}": case
        for case in json.loads((arguments.corpus / arguments.manifest).read_text())
    }
    whole = {f"{row['repo']} {row['sha'][:8]}": row["seconds"] for row in rows}
    own = {one["case"]: own_seconds(arguments, cases[one["case"]], one) for one in found}
    beside = {case: whole[case] - seconds for case, seconds in own.items()}
    print(f"\n{'seconds':26} {'whole':>7} {'own':>7} {'beside':>7}")
    for case, seconds in beside.items():
        print(f"{case:26} {whole[case]:7.1f} {own[case]:7.1f} {seconds:7.1f}")
    middle = [statistics.median(one.values()) for one in (whole, own, beside)]
    print(f"{'median':26} {middle[0]:7.1f} {middle[1]:7.1f} {middle[2]:7.1f}")


def mutant_score(found: list[dict[str, Any]]) -> None:
    """How many faults in the changed lines that they run the admitted tests notice."""
    print(f"\n{'mutants':26} {'killed':>7} {'total':>7} {'set aside':>10}")
    sums = [0, 0, 0]
    for report in found:
        one = report.get("mutants", {})
        row = [one.get("killed", 0), one.get("total", 0), len(one.get("set_aside", ()))]
        sums = [a + b for a, b in zip(sums, row, strict=True)]
        if row[1]:
            print(f"{report['case']:26} {row[0]:7} {row[1]:7} {row[2]:10}")
        for said in one.get("set_aside", ()):
            print(f"    set aside {said}")
    share = 100 * sums[0] / sums[1] if sums[1] else 100.0
    print(f"{'all':26} {sums[0]:7} {sums[1]:7} {sums[2]:10}   {share:.1f} %")


def each_alone(arguments: argparse.Namespace) -> None:
    """Try every technique alone on the first commits, and print what each closes."""
    sys.path.insert(0, str(PROJECT))
    from bench.alone import names

    few = argparse.Namespace(**{**vars(arguments), "limit": arguments.alone})
    rows = []
    for name in names():
        out = arguments.work / f"alone-{name}.json"
        out.unlink(missing_ok=True)
        patchcov(few, out, f"-p bench.alone --ai-engine=only-{name}")
        found = json.loads(out.read_text()) if out.exists() else []
        closed = [sum(r["after"][i] - r["before"][i] for r in found) for i in (1, 3)]
        gaps = [sum(r["before"][i] - r["before"][i + 1] for r in found) for i in (0, 2)]
        seconds = sum(r["seconds"] for r in found)
        rows.append((name, *closed, *gaps, seconds))
    print(f"\n{'alone':24} {'lines':>10} {'branches':>10} {'seconds':>8}")
    for name, lines, branches, all_lines, all_branches, seconds in rows:
        shown = f"{lines}/{all_lines}", f"{branches}/{all_branches}"
        print(f"{name:24} {shown[0]:>10} {shown[1]:>10} {seconds:8.0f}")


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
    parser.add_argument("--alone", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    for wanted in (arguments.corpus / "patchcov.py", arguments.corpus / arguments.manifest):
        if not wanted.is_file():
            parser.error(f"there is no {wanted}: docs/measuring.md says what a corpus has")
    arguments.work.mkdir(parents=True, exist_ok=True)
    for package in ("pytest_aipipe", "aipipe_core"):  # as an installation does
        compileall.compile_dir(PROJECT / package, quiet=1)
    out = arguments.work / "rows.json"
    out.unlink(missing_ok=True)
    code = patchcov(arguments, out)
    rows = json.loads(out.read_text()) if out.exists() else []
    if not rows:
        print("no commit was measured", file=sys.stderr)
        return code or 1
    found = reports(arguments.work, rows)
    technique_table(found)
    thrift(found)
    time_beside(arguments, rows, found)
    mutant_score(found)
    open_gaps(found)
    gallery(arguments.work, rows, arguments.gallery, arguments.seed)
    if arguments.alone:
        each_alone(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
