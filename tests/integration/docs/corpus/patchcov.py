"""How far generated tests reach on changed lines: what bench/commits.py wants of a corpus.

    python patchcov.py MANIFEST --mirrors DIR --work DIR --project DIR --out FILE
                       [--only NAME ...] [--limit N] [--args "OPTIONS"]

A small one, for cases that need no more than is installed here: the Python that runs this runs
their suites. Each case's tests are those of the commit's parent; after the plugin has written
its own, coverage.py counts the changed lines and branches without it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

Case = dict[str, Any]
WHO = ("-c", "user.name=case", "-c", "user.email=case@example.org")


def git(tree: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *WHO, *words], cwd=tree, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_root(case: Case) -> Path:
    """Return the folder of the case's tests."""
    return Path(str(case["test_files"][0])).parent


def clone(tree: Path, case: Case, mirrors: Path) -> None:
    """Make a fresh clone of the case's repository."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.parent.mkdir(parents=True, exist_ok=True)
    source = mirrors.resolve() / case["github"].replace("/", "+") / "repo"
    subprocess.run(["git", "clone", "-q", "--shared", str(source), str(tree)], check=True)


def prepare(work: Path, case: Case, mirrors: Path) -> Path:
    """Return a tree of the commit with the tests of before it."""
    tree = work / "trees" / f"{case['repo']}-{case['sha'][:10]}"
    clone(tree, case, mirrors)
    git(tree, "checkout", "-q", "-B", "case", case["sha"])
    git(tree, "checkout", "-q", case["parent"], "--", *case["test_files"])
    git(tree, "reset", "-q", "--soft", case["parent"])
    git(tree, "commit", "-q", "-m", case["subject"])
    return tree


def added(tree: Path, case: Case) -> dict[str, set[int]]:
    """Return the changed lines of each file, by their new numbers."""
    found: dict[str, set[int]] = {}
    for file in case["files"]:
        text = git(tree, "diff", "-U0", case["parent"], "HEAD", "--", file)
        found[file] = set()
        for hunk in re.finditer(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", text, re.MULTILINE):
            start, count = int(hunk[1]), int(hunk[2] or 1)
            found[file].update(range(start, start + count))
    return found


def environment(work: Path, case: Case) -> Path:
    """Return a folder that looks like the case's environment and is this Python's."""
    folder = work / "venvs" / str(case["repo"])
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    program = folder / "bin" / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder


def surroundings(tree: Path, case: Case, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(tree / case["path"]), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **more}


def cov(
    tree: Path, venv: Path, case: Case, target: list[str], seed: str = "0", *, measure: bool = True
) -> tuple[dict[str, Any], dict[str, int]]:
    """Run tests without the plugin; return coverage.py's files and the outcomes' numbers."""
    data, found = tree.parent / f"{tree.name}.cov", tree.parent / f"{tree.name}.json"
    around = surroundings(tree, case, COVERAGE_FILE=str(data), PYTHONHASHSEED=seed)
    python = str(venv / "bin" / "python")
    first = ["-m", "coverage", "run", "--branch", f"--include={','.join(case['files'])}"]
    words = ["-m", "pytest", "-q", "-p", "no:aipipe", "-p", "no:cacheprovider", *target]
    done = subprocess.run(
        [python, *(first if measure else []), *words],
        cwd=tree, env=around, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = re.findall(r"(\d+) (passed|failed|error)", done.stdout)
    counts = {kind: int(count) for count, kind in told}
    if not measure:
        return {}, counts
    subprocess.run(
        [python, "-m", "coverage", "json", "-q", "-o", str(found)],
        cwd=tree, env=around, check=True,
    )  # fmt: skip
    return dict(json.loads(found.read_text(encoding="utf-8"))["files"]), counts


def score(reports: list[dict[str, Any]], changed: dict[str, set[int]]) -> tuple[int, int, int, int]:
    """Return lines, covered ones, branches and taken ones of what changed, over all reports."""
    lines: set[Any] = set()
    ran, branches, taken = set(lines), set(lines), set(lines)
    for report in reports:
        for file, numbers in changed.items():
            one = report.get(file, {})
            hit = {(file, n) for n in one.get("executed_lines", ()) if n in numbers}
            missed = {(file, n) for n in one.get("missing_lines", ()) if n in numbers}
            went = {(file, *b) for b in one.get("executed_branches", ()) if b[0] in numbers}
            left = {(file, *b) for b in one.get("missing_branches", ()) if b[0] in numbers}
            ran, lines = ran | hit, lines | hit | missed
            taken, branches = taken | went, branches | went | left
    return len(lines), len(ran), len(branches), len(taken)


def generate(tree: Path, venv: Path, case: Case, base: str, report: Path, more: str) -> Path:
    """Run the plugin; return the folder of what it wrote."""
    out = tree / test_root(case) / "ai_generated"
    flags = [f"--ai-diff={base}", f"--ai-report=json:{report}", f"--ai-write={out}"]
    subprocess.run(
        [str(venv / "bin" / "python"), "-m", "pytest", *flags, *more.split()],
        cwd=tree, env=surroundings(tree, case), capture_output=True, check=False,
    )  # fmt: skip
    return out


def measured(case: Case, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return a case's row."""
    work = arguments.work.resolve()
    venv, tree = environment(work, case), prepare(work, case, arguments.mirrors)
    changed, (before, _) = added(tree, case), cov(tree, venv, case, [])
    begun = time.monotonic()
    report = tree.parent / f"{tree.name}.report.json"
    out = generate(tree, venv, case, case["parent"], report, arguments.args)
    seconds = time.monotonic() - begun
    after: dict[str, Any] = {}
    tests: dict[str, int] = {}
    if any(out.rglob("*.py")):
        after, tests = cov(tree, venv, case, [str(out)])
    return {
        "repo": case["repo"], "sha": case["sha"], "seconds": round(seconds, 1),
        "before": score([before], changed), "after": score([before, after], changed),
        "tests": tests,
    }  # fmt: skip


def parsed(*more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest", type=Path)
    for name in ("mirrors", "work", "project", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--args", default="")
    for name in more:
        parser.add_argument(name)
    return parser.parse_args()


def chosen(arguments: argparse.Namespace) -> list[Case]:
    """Return the cases that are asked for."""
    cases = json.loads(arguments.manifest.read_text(encoding="utf-8"))
    only = set(arguments.only or ())
    return [c for c in cases if not only or only & {c["repo"], c["sha"][:8]}][: arguments.limit]


def main() -> None:
    arguments = parsed()
    rows = [measured(case, arguments) for case in chosen(arguments)]
    arguments.out.write_text(json.dumps(rows), encoding="utf-8")
    for row in rows:
        lines, was, branches, took = row["before"]
        _, now, _, takes = row["after"]
        print(
            f"{row['repo']} {row['sha'][:8]} lines {was}/{lines} -> {now}, "
            f"branches {took}/{branches} -> {takes}, tests {row['tests']}"
        )


if __name__ == "__main__":
    main()
