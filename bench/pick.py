"""Pick real commits to measure on: the newest that tested what the tests of before did not run.

    python bench/pick.py PROJECTS.toml --mirrors DIR [--corpus DIR] [--work DIR] [--each N]
                         [--out FILE]

PROJECTS names, for each project, its clone's folder in DIR, the path its packages lie below, and
what its suite needs installed. Of the newest commits on each main line, those are taken that
change some lines of code and some of the tests, where the tests of before leave changed lines or
branches uncovered: counted by the corpus' own `patchcov.py`, as is what the author's tests cover.
None of our code runs. FILE has the form of the corpus' `dev.json`, for `bench/commits.py
--manifest`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
LINES = range(2, 81)
FILES = 4
LOOKED_AT = 600

Case = dict[str, Any]


def git(clone: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(clone), *words], check=True, capture_output=True, text=True,
        errors="replace",
    )  # fmt: skip
    return done.stdout


def is_test(path: str) -> bool:
    name = PurePosixPath(path).name
    return "test" in PurePosixPath(path).parts[0] or "/tests/" in path or name.startswith("test_")


def candidates(clone: Path, name: str, project: dict[str, Any]) -> list[Case]:
    """Return the commits of the main line that change code and tests, the newest first."""
    found = []
    listed = git(clone, "log", "--no-merges", f"-{LOOKED_AT}", "--format=%H%x09%P%x09%cs%x09%s")
    for line in listed.splitlines():
        sha, parent, date, subject = line.split("\t", 3)
        rows = git(clone, "show", "--numstat", "--format=", "--no-renames", sha).splitlines()
        changed = [row.split("\t") for row in rows if row.endswith(".py") and row[0] != "-"]
        tests = [path for *_, path in changed if is_test(path)]
        code = {
            path: int(plus)
            for plus, _, path in changed
            if not is_test(path) and path.startswith(project["package"])
        }
        others = len(changed) - len(tests) - len(code)
        if tests and code and not others and len(code) <= FILES and sum(code.values()) in LINES:
            found.append({
                "repo": name, "github": project["github"], "sha": sha, "parent": parent.split()[0],
                "date": date, "subject": subject, "files": sorted(code), "test_files": tests,
                "path": project["path"], "deps": project["needs"],
            })  # fmt: skip
    return found


def measured(patchcov: Any, case: Case, arguments: argparse.Namespace) -> Case | None:
    """Return the case with what the old and the author's tests cover, None where it is no case."""
    work = arguments.work.resolve()
    python = patchcov.venv(work, case, PROJECT)
    tree = patchcov.prepare(work, case, arguments.mirrors)
    changed = patchcov.added(tree, case)
    before, ran = patchcov.cov(tree, python, case, [])
    lines = patchcov.score([before], changed)
    bad = ran.get("failed", 0) + ran.get("error", 0)
    if not ran.get("passed") or bad > ran["passed"] / 4 or lines[0] == 0:
        return None
    if (lines[0], lines[2]) == (lines[1], lines[3]):
        return None
    patchcov.sh(["git", "-C", tree, "checkout", "-q", "-f", case["sha"]])
    human, _ = patchcov.cov(tree, python, case, [])
    return {**case, "before": lines, "human": patchcov.score([human], changed)}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("projects", type=Path)
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, default=PROJECT.parent / "shared" / "corpus")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--tries", type=int, default=12, help="commits measured of a project")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    spec = importlib.util.spec_from_file_location("patchcov", arguments.corpus / "patchcov.py")
    assert spec is not None
    assert spec.loader is not None
    patchcov = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(patchcov)
    arguments.work.mkdir(parents=True, exist_ok=True)
    kept: list[Case] = []
    for name, project in tomllib.loads(arguments.projects.read_text("utf-8")).items():
        clone = patchcov.mirror(arguments.mirrors, project["github"])
        taken = 0
        for case in candidates(clone, name, project)[: arguments.tries]:
            if taken == arguments.each:
                break
            found = measured(patchcov, case, arguments)
            if found is not None:
                taken += 1
                kept.append(found)
                told = f"before {found['before']} human {found['human']}  {case['subject']}"
                print(name, case["sha"][:8], told[:100], flush=True)
                arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"{len(kept)} commits")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
