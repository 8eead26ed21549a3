"""Measure how many mutants of the changed lines the generated tests kill.

    python bench/mutants.py MANIFEST --work DIR [--only NAME ...] [--limit N] [--seconds S]
                            [--out FILE] [--survivors] [--existing]

DIR is the folder that the coverage runner worked in: `trees/<repo>-<sha>` holds each case
with its generated tests still in `ai_generated` (or beside it, in `<tree>.generated`), and
`venvs/<repo>` the environment. Per case: killed and total over the mutants of changed lines
that a generated test covers; those that can be shown to be equivalent are set aside and
listed with the reason. With --existing the mutants that survive are also tried on the
project's own tests (the case's test files, as they were before): what these notice is shown
in a column of its own and changes nothing in the score.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from pytest_aipipe.mutate.host import Trial, run_mutants
from pytest_aipipe.mutate.make import survey


def added_lines(tree: Path, case: dict) -> dict[str, frozenset[int]]:
    """Return the new-side numbers of the changed lines, by file."""
    found = {}
    for file in case["files"]:
        command = ["git", "-C", tree, "diff", "-U0", case["parent"], "HEAD", "--", file]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        numbers: set[int] = set()
        for hunk in re.finditer(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", text, re.MULTILINE):
            start, count = int(hunk[1]), int(hunk[2]) if hunk[2] is not None else 1
            numbers.update(range(start, start + count))
        found[file] = frozenset(numbers)
    return found


def generated_tests(tree: Path, case: dict) -> list[Path]:
    """Return the generated test files, put back into the tree where they were moved aside."""
    folders = [str(Path(f).parent) for f in case["test_files"] if f.endswith(".py")]
    common = os.path.commonpath([*folders]) if folders else "."
    target = tree / common / "ai_generated"
    aside = tree.parent / f"{tree.name}.generated"
    if not target.exists() and aside.exists():
        shutil.copytree(aside, target)
    found = target.rglob("*.py") if target.exists() else iter(())
    tests = [p for p in found if p.name != "conftest.py" and "behavior" not in p.parts]
    return sorted(p for p in tests if "def test" in p.read_text("utf-8"))


def measure(case: dict, work: Path, seconds: float, *, existing: bool) -> dict | None:
    """One case's row; None where the coverage runner left no tree."""
    tree = work / "trees" / f"{case['repo']}-{case['sha'][:10]}"
    if not tree.exists():
        return None
    tests = generated_tests(tree, case)
    mutants, aside = {}, []
    for file, lines in added_lines(tree, case).items():
        path = tree / file
        if path.suffix == ".py" and path.exists():
            found = survey(path.read_text("utf-8"), lines, total=300)
            mutants[str(path)] = found.mutants
            aside += [(file, e) for e in found.set_aside]
    trial = Trial(
        rootdir=tree,
        python_path=(str(tree / case["path"]),),
        pytest_args=("-W", "ignore", *(() if case.get("keep_addopts") else ("-o", "addopts="))),
        python=str(work / "venvs" / case["repo"] / "bin" / "python"),
    )
    began = time.monotonic()
    score = run_mutants(tests, mutants, trial, seconds=seconds)
    found = {"score": score, "aside": aside, "tree": tree, "seconds": time.monotonic() - began}
    if existing:
        own = [tree / file for file in case["test_files"] if (tree / file).exists()]
        left: dict[str, list] = {}
        for one in score.survivors:
            left.setdefault(one.path, []).append(one.mutant)
        found["existing"] = run_mutants(own, left, trial, seconds=seconds).killed if left else 0
    return found


def row(case: dict, found: dict) -> dict:
    """Return what is kept of one case."""
    score, tree = found["score"], found["tree"]
    place = lambda r: f"{Path(r.path).relative_to(tree)}:{r.mutant.line}"  # noqa: E731
    shown = lambda m: f"{m.operator}: {m.before} => {m.after}"  # noqa: E731
    return {
        "repo": case["repo"],
        "sha": case["sha"],
        "total": score.total,
        "killed": score.killed,
        "existing": found.get("existing"),
        "unjudged": sum(r.verdict == "unjudged" for r in score.results),
        "uncovered": sum(r.verdict == "uncovered" for r in score.results),
        "seconds": round(found["seconds"], 1),
        "unstable": score.unstable,
        "note": score.note,
        "survivors": [f"{place(r)} {shown(r.mutant)}" for r in score.survivors],
        "set_aside": [
            f"{file}:{e.mutant.line} {shown(e.mutant)} -- {e.reason}" for file, e in found["aside"]
        ],
    }


def _noticed(row: dict) -> str:
    """Say how many survivors the project's own tests notice, where that was asked."""
    return f" (own tests notice {row['existing']} more)" if row["existing"] is not None else ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--existing", action="store_true")
    asked = parser.parse_args()
    cases = json.loads(asked.manifest.read_text("utf-8"))
    wanted = set(asked.only or ())
    rows = []
    for case in cases[: asked.limit]:
        if wanted and not wanted & {case["repo"], case["sha"][:8]}:
            continue
        found = measure(case, asked.work.resolve(), asked.seconds, existing=asked.existing)
        if found is None:
            continue
        rows.append(row(case, found))
        last = rows[-1]
        print(
            f"{last['repo']:15} {last['sha'][:8]} {last['seconds']:6.1f}s killed {last['killed']}"
            f"/{last['total']}{_noticed(last)}, set aside {len(last['set_aside'])}, not covered "
            f"{last['uncovered']}, not tried {last['unjudged']} {last['note'][-200:]}",
            flush=True,
        )
        for survivor in last["survivors"] if asked.survivors else ():
            print(f"    survived  {survivor}")
        for aside in last["set_aside"]:
            print(f"    set aside {aside}")
        if asked.out:
            asked.out.write_text(json.dumps(rows, indent=1), "utf-8")
    if not rows:
        raise SystemExit(
            f"no commit has a tree in {asked.work / 'trees'}: run bench/commits.py first"
        )
    total, killed = sum(r["total"] for r in rows), sum(r["killed"] for r in rows)
    share = 100 * killed / total if total else 100.0
    aside = sum(len(r["set_aside"]) for r in rows)
    own = sum(r["existing"] or 0 for r in rows)
    if asked.existing:
        print(f"\nof the {total - killed} that survive the projects' own tests notice {own}")
    print(
        f"\n{len(rows)} commits: mutants killed {killed}/{total} ({share:.1f}%), {aside} set aside"
    )


if __name__ == "__main__":
    main()
