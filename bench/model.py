"""The model engine on real commits, from recorded answers: what closes, at what cost.

    python bench/model.py                                  # the figures of the recorded run
    python bench/model.py --mirrors DIR [--corpus DIR] [--work DIR] [--only NAME ...]

The first form reads `bench/recordings/model/`. The second does the run again on the commits of
the corpus, with no model: the embedded engine writes its tests first, then the model engine is
asked for the gaps that stay, and the recorded answers are given to it, through the same screen,
sandbox and gate. A gap that a better embedded engine has closed since is not asked about; a
question that differs from the recorded one in its text gets the answer that was given about the
same symbol in the same turn, and the count of those is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
RECORDINGS = PROJECT / "bench" / "recordings" / "model"
OURS = ("OPENAI_", "AZURE_OPENAI_", "AIPIPE_", "PYTEST_")


def asked(report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The ledger's rows of a run, by the gap that they are about."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in report["llm"].get("ledger", ()):
        found.setdefault(row["label"], []).append(row)
    return found


def outcome_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Each gap that was asked about: rounds, tokens, whether a test was admitted, all is closed."""
    left = {f"{gap['path']}::{gap['symbol']}" for gap in report["gaps"]}
    rows = []
    for label, calls in asked(report).items():
        answered = [one for one in calls if one["outcome"] in ("answered", "replayed", "stored")]
        mine = [test for test in report["tests"] if _about(test) == label]
        rows.append(
            {
                "gap": label,
                "rounds": len(answered),
                "input": sum(one["input"] for one in calls),
                "output": sum(one["output"] for one in calls),
                "admitted": any(test["status"] == "admitted" for test in mine),
                "closed": label not in left,
            }
        )
    return rows


def _about(test: dict[str, Any]) -> str:
    return f"{test['targets'][0]['path']}::{test['symbol']}" if test["engine"] == "llm" else ""


def print_table(rows: list[dict[str, Any]], counts: Counter[str]) -> bool:
    """The table and its sums; return whether the bars are met."""
    width = max(len(f"{row['case']} {row['gap']}") for row in rows)
    print(f"{'gap':{width}} rounds  tokens  admitted  closed")
    for row in rows:
        name = f"{row['case']} {row['gap']}"
        yes = ("no", "yes")
        tokens = row["input"] + row["output"]
        print(
            f"{name:{width}} {row['rounds']:6} {tokens:7}  {yes[row['admitted']]:8}  "
            f"{yes[row['closed']]}"
        )
    closed = sum(row["closed"] for row in rows)
    admitted = sum(row["admitted"] for row in rows)
    tokens = sum(row["input"] + row["output"] for row in rows)
    answers = counts["answers"]
    print(f"\n{len(rows)} gaps asked about, {closed} closed ({100 * closed / len(rows):.0f} %)")
    print(
        f"{admitted} gaps had a test admitted within three rounds "
        f"({100 * admitted / len(rows):.0f} %); of all {answers} answers "
        f"{counts['answers admitted']} ({100 * counts['answers admitted'] / max(1, answers):.0f} %)"
    )
    print(
        f"{tokens} tokens ({sum(row['input'] for row in rows)} in, "
        f"{sum(row['output'] for row in rows)} out), {tokens / max(1, closed):.0f} a closed gap"
    )
    by_round = {name: n for name, n in sorted(counts.items()) if name.startswith("round")}
    print(f"answers by round: {by_round}; screened out: {counts['screened out']}")
    met: bool = closed * 2 >= len(rows) and admitted >= 0.6 * len(rows)
    return met and tokens <= 6000 * closed


def recorded() -> tuple[list[dict[str, Any]], Counter[str]]:
    """The figures as the recorded run ended."""
    found = json.loads((RECORDINGS / "results.json").read_text("utf-8"))
    return found["rows"], Counter(found["counts"])


def replayed(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Do the run again with the recorded answers."""
    sys.path.insert(0, str(arguments.corpus))
    import patchcov  # type: ignore[import-not-found]

    rows: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for case in json.loads((arguments.corpus / "dev.json").read_text("utf-8")):
        name = f"{case['repo']}-{case['sha'][:10]}"
        wanted = not arguments.only or any(one in name for one in arguments.only)
        if not wanted or not (RECORDINGS / name).is_dir():
            continue
        tree = patchcov.prepare(arguments.work, case, arguments.mirrors)
        python = patchcov.venv(arguments.work, case, f"{PROJECT}[llm]") / "bin" / "python"
        home = tree / patchcov.test_root(case)
        run(python, tree, case, home / "ai_generated", "local", {})
        tape = {"AIPIPE_MODEL_REPLAY": str(RECORDINGS / name), "AIPIPE_MODEL_SMALL": "recorded"}
        report = run(python, tree, case, home / "ai_model", "llm", tape)
        new = [{"case": name, **row} for row in outcome_of(report)]
        rows += new
        counts.update(report["llm"].get("counts", {}))
        counts["near"] += sum("replayed by their label" in note for note in report["notes"])
        print(f"{name}: {sum(row['closed'] for row in new)} of {len(new)} closed", flush=True)
    return rows, counts


def run(
    python: Path, tree: Path, case: dict[str, Any], out: Path, engine: str, more: dict[str, str]
) -> dict[str, Any]:
    """One session with one engine; return its report."""
    report = tree.parent / f"{tree.name}.{engine}.json"
    report.unlink(missing_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    around = {**clean, **more, "PYTHONPATH": str(tree / case["path"])}
    argv = [str(python), "-m", "pytest", f"--ai-diff={case['parent']}", f"--ai-engine={engine}",
            f"--ai-report=json:{report}", f"--ai-write={out}", "-q"]  # fmt: skip
    if not case.get("keep_addopts"):
        argv += ["-o", "addopts="]
    done = subprocess.run(
        argv, cwd=tree, env=around, capture_output=True, text=True, check=False, timeout=900
    )
    if not report.exists():
        raise SystemExit(f"{tree.name}: {engine}: {(done.stdout + done.stderr)[-600:]}")
    found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirrors", type=Path)
    parser.add_argument("--corpus", type=Path, default=PROJECT.parent / "shared" / "corpus")
    parser.add_argument("--work", type=Path, default=Path(".bench-model").resolve())
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    rows, counts = replayed(arguments) if arguments.mirrors else recorded()
    if not rows:
        print("no gap was left to ask about")
        return 0
    met = print_table(rows, counts)
    print("bars (half closed, 60 % admitted, 6,000 tokens): " + ("met" if met else "MISSED"))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
