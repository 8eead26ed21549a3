"""Whether a bug is caught when it comes back: what bench/catch.py wants of a corpus.

    python catch.py MANIFEST --mirrors DIR --work DIR --project DIR --out FILE [--kind fix|quiet]
                    [--only NAME ...] [--limit N] [--args "OPTIONS"]

A small one, as `patchcov.py` beside it is. Of a `fix` the head is what was before it; two runs of
pytest without the plugin decide: a test passes on the base and fails on head.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

from patchcov import (  # type: ignore[import-not-found]
    chosen,
    clone,
    environment,
    generate,
    git,
    parsed,
    surroundings,
)

if TYPE_CHECKING:
    import argparse

Case = dict[str, Any]


def prepare(work: Path, case: Case, mirrors: Path) -> Path:
    """Return a tree whose branch ``head`` is one commit after ``base``."""
    tree = work / "catch" / f"{case['repo']}-{case['sha'][:10]}"
    clone(tree, case, mirrors)
    sides = (case["sha"], case["parent"])
    first, second = sides if case["kind"] == "fix" else sides[::-1]
    git(tree, "checkout", "-q", "-B", "base", first)
    git(tree, "checkout", "-q", case["parent"], "--", *case["test_files"])
    git(tree, "commit", "-q", "--allow-empty", "-m", "base")
    git(tree, "checkout", "-q", "-B", "head")
    git(tree, "checkout", "-q", second, "--", *case["files"])
    git(tree, "commit", "-q", "-m", "change")
    return tree


def outcomes(tree: Path, venv: Path, case: Case, folder: Path) -> dict[str, str]:
    """Return what became of each test."""
    words = ["-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:aipipe", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [str(venv / "bin" / "python"), *words, str(folder)],
        cwd=tree, env=surroundings(tree, case), capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.finditer(r"^(PASSED|FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return {match[2]: match[1] for match in found}


def measured(case: Case, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return a case's row."""
    work = arguments.work.resolve()
    venv, tree = environment(work, case), prepare(work, case, arguments.mirrors)
    report = tree.parent / f"{tree.name}.report.json"
    begun = time.monotonic()
    out = generate(tree, venv, case, "base", report, arguments.args)
    seconds = time.monotonic() - begun
    caught: list[str] = []
    if (out / "behavior").exists():
        on_head = outcomes(tree, venv, case, out / "behavior")
        git(tree, "checkout", "-q", "base")
        on_base = outcomes(tree, venv, case, out / "behavior")
        caught = [name for name, one in on_base.items()
                  if one == "PASSED" and on_head.get(name) == "FAILED"]  # fmt: skip
    return {
        "kind": case["kind"], "repo": case["repo"], "sha": case["sha"], "caught": caught,
        "subject": case["subject"], "seconds": round(seconds, 1),
        "said": len(json.loads(report.read_text(encoding="utf-8")).get("behavior", [])),
    }  # fmt: skip


def main() -> None:
    arguments = parsed("--kind")
    rows = [measured(c, arguments) for c in chosen(arguments)
            if arguments.kind in {None, c["kind"]}]  # fmt: skip
    arguments.out.write_text(json.dumps(rows), encoding="utf-8")
    for row in rows:
        print(f"{row['kind']} {row['repo']} {row['sha'][:8]} told apart by {len(row['caught'])}")


if __name__ == "__main__":
    main()
