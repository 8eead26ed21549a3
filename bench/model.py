"""The model engine on real commits, from recorded answers: what closes, at what cost.

    python bench/model.py                                  # the figures of the recorded run
    python bench/model.py --ledger                         # each call of the recorded run
    python bench/model.py --mirrors DIR [--corpus DIR] [--work DIR] [--only NAME ...]
    python bench/model.py --mirrors DIR --record DIR       # ask the model that is set up

The first two forms read `bench/recordings/model/`. The third does the run again, with no model:
on each commit the embedded engine writes its tests first, then the model engine is asked for the
gaps that stay, and the recorded answers are given to it, through the same screen, sandbox and
gate. A gap that a better embedded engine has closed since is not asked about; a question that
differs from the recorded one in its text gets the answer that was given about the same symbol in
the same turn, and the count of those is printed. The fourth asks the model that `OPENAI_BASE_URL`,
`OPENAI_API_KEY` and `AIPIPE_MODEL_*` name, and records what it says.

The commits are those of the corpus' `dev.json`, and `further.json` beside the recordings.
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
MODELS = ("OPENAI_", "AZURE_OPENAI_", "AIPIPE_MODEL_")
OURS = (*MODELS, "AIPIPE_", "PYTEST_")
WRITING = ("tests", "repair")
ANSWERED = ("answered", "replayed", "stored")
COLUMNS = ("purpose", "model", "input", "cached", "output", "cost", "seconds", "outcome")

Row = dict[str, Any]


def asked(report: Row) -> dict[str, list[Row]]:
    """The ledger's rows of a run, by the gap that they are about."""
    found: dict[str, list[Row]] = {}
    for row in ledger_of(report):
        found.setdefault(row["label"], []).append(row)
    return found


def ledger_of(report: Row) -> list[Row]:
    """The calls of a run that asked for tests."""
    return [row for row in report["llm"].get("ledger", ()) if row["purpose"] in WRITING]


def outcome_of(report: Row) -> list[Row]:
    """Each gap that was asked about: rounds, tokens, whether a test was admitted, all is closed."""
    left = {f"{gap['path']}::{gap['symbol']}" for gap in report["gaps"]}
    rows = []
    for label, calls in asked(report).items():
        mine = [test for test in report["tests"] if _about(test) == label]
        rows.append(
            {
                "gap": label,
                "rounds": sum(one["outcome"] in ANSWERED for one in calls),
                "input": sum(one["input"] for one in calls),
                "output": sum(one["output"] for one in calls),
                "admitted": any(test["status"] == "admitted" for test in mine),
                "closed": label not in left,
            }
        )
    return rows


def _about(test: Row) -> str:
    return f"{test['targets'][0]['path']}::{test['symbol']}" if test["engine"] == "llm" else ""


def print_table(rows: list[Row], counts: Counter[str]) -> bool:
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
    print(
        f"\n{len(rows)} gaps asked about, on {len({row['case'] for row in rows})} commits: "
        f"{closed} closed ({100 * closed / len(rows):.0f} %)"
    )
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
    if counts["near"]:
        print(f"{counts['near']} questions differed in their text from the recorded ones")
    met: bool = closed * 2 >= len(rows) and admitted >= 0.6 * len(rows)
    return met and tokens <= 6000 * closed


def print_ledger(results: dict[str, Row]) -> None:
    """Each call, as the ledgers of the runs have it, and what they add up to."""
    rows = [{**row, "commit": name} for name, one in results.items() for row in one["ledger"]]
    names = [f"{row['commit']} {row['label'].rpartition('::')[2]}" for row in rows]
    width = max(map(len, names))
    print(f"{'commit and symbol':{width}}  " + "  ".join(f"{name:>8}" for name in COLUMNS))
    for name, row in zip(names, rows, strict=True):
        print(f"{name:{width}}  " + "  ".join(f"{row[one]!s:>8}" for one in COLUMNS))
    total = {one: sum(row[one] for row in rows) for one in COLUMNS if one not in _WORDS}
    print(f"{len(rows)} calls: " + ", ".join(f"{one} {n:.10g}" for one, n in total.items()))


_WORDS = ("purpose", "model", "outcome")


def recorded(folder: Path, only: list[str] | None) -> dict[str, Row]:
    """What the recorded run ended with, by commit."""
    found: dict[str, Row] = json.loads((folder / "results.json").read_text("utf-8"))
    return {name: one for name, one in found.items() if _is_wanted(name, only)}


def _is_wanted(name: str, only: list[str] | None) -> bool:
    return not only or any(one in name for one in only)


def summed(results: dict[str, Row]) -> tuple[list[Row], Counter[str]]:
    """The rows and the counts of all commits together."""
    counts: Counter[str] = Counter()
    for one in results.values():
        counts.update(one["counts"])
    return [{"case": name, **row} for name, one in results.items() for row in one["rows"]], counts


def cases(corpus: Path) -> list[Row]:
    """The corpus' commits, and those that were taken beside them."""
    found: list[Row] = json.loads((corpus / "dev.json").read_text("utf-8"))
    further = RECORDINGS / "further.json"
    return found + (json.loads(further.read_text("utf-8")) if further.exists() else [])


def done_again(arguments: argparse.Namespace) -> dict[str, Row]:
    """Do the run with the recorded answers, or with a model's; return what came of it."""
    sys.path.insert(0, str(arguments.corpus))
    import patchcov  # type: ignore[import-not-found]

    results: dict[str, Row] = {}
    for case in cases(arguments.corpus):
        name = f"{case['repo']}-{case['sha'][:10]}"
        if not _is_wanted(name, arguments.only):
            continue
        if not arguments.record and not (RECORDINGS / name).is_dir():
            continue
        python = arguments.work / "venvs" / case["repo"] / "bin" / "python"
        tree = arguments.work / "trees" / name
        home = tree / patchcov.test_root(case)
        if not (arguments.reuse and (arguments.work / "trees" / f"{name}.local.json").exists()):
            patchcov.venv(arguments.work, case, f"{PROJECT}[llm]")
            patchcov.prepare(arguments.work, case, arguments.mirrors)
            run(python, tree, case, home / "ai_generated", "local", {})
        report = _asking(arguments, python, tree, case, home / "ai_model")
        new = outcome_of(report)
        counts = Counter(report["llm"].get("counts", {}))
        counts["near"] += _near(report)
        if new:
            results[name] = {"rows": new, "counts": dict(counts), "ledger": ledger_of(report)}
        print(f"{name}: {sum(row['closed'] for row in new)} of {len(new)} closed", flush=True)
        if new and arguments.record:
            _keep(arguments.record, name, results[name])
    return results


def _asking(arguments: argparse.Namespace, python: Path, tree: Path, case: Row, out: Path) -> Row:
    """The session with the model engine alone."""
    if not arguments.record:
        tape = {"AIPIPE_MODEL_REPLAY": str(RECORDINGS / tree.name),
                "AIPIPE_MODEL_SMALL": "recorded"}  # fmt: skip
        return run(python, tree, case, out, "llm", tape)
    around = {name: value for name, value in os.environ.items() if name.startswith(MODELS)}
    around["AIPIPE_MODEL_RECORD"] = str(arguments.record / tree.name)
    return run(python, tree, case, out, "llm", around, budget=arguments.patience)


def _near(report: Row) -> int:
    """How many questions were answered by what they are about, not by their text."""
    said = [note for note in report["notes"] if "were replayed by their label" in note]
    return sum(int(note.split(maxsplit=1)[0]) for note in said)


def _keep(folder: Path, name: str, result: Row) -> None:
    """Put a commit's results among those that were recorded before."""
    file = folder / "results.json"
    found = json.loads(file.read_text("utf-8")) if file.exists() else {}
    found[name] = result
    file.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", "utf-8")


def run(
    python: Path, tree: Path, case: Row, out: Path, engine: str, more: dict[str, str],
    *, budget: float | None = None,
) -> Row:  # fmt: skip
    """One session with one engine; return its report."""
    report = tree.parent / f"{tree.name}.{engine}.json"
    report.unlink(missing_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    around = {**clean, **more, "PYTHONPATH": str(tree / case["path"])}
    argv = [str(python), "-m", "pytest", f"--ai-diff={case['parent']}", f"--ai-engine={engine}",
            f"--ai-report=json:{report}", f"--ai-write={out}", "-q"]  # fmt: skip
    if engine == "llm":
        argv.append("--ai-behavior=off")  # base and head were compared by the session before
    if budget is not None:
        argv.append(f"--ai-budget={budget}")
    if not case.get("keep_addopts"):
        argv += ["-o", "addopts="]
    done = subprocess.run(
        argv, cwd=tree, env=around, capture_output=True, text=True, check=False,
        timeout=900 + (budget or 0),
    )  # fmt: skip
    if not report.exists():
        raise SystemExit(f"{tree.name}: {engine}: {(done.stdout + done.stderr)[-600:]}")
    found: Row = json.loads(report.read_text("utf-8"))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirrors", type=Path)
    parser.add_argument("--corpus", type=Path, default=PROJECT.parent / "shared" / "corpus")
    parser.add_argument("--work", type=Path, default=Path(".bench-model"))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--record", type=Path, help="ask the model that is set up; write here")
    parser.add_argument("--patience", type=float, default=60.0, help="its budget, in seconds")
    parser.add_argument("--reuse", action="store_true", help="keep the embedded engine's tests")
    parser.add_argument("--ledger", action="store_true", help="print each call")
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    arguments.record = arguments.record and arguments.record.resolve()
    again = arguments.mirrors is not None
    results = done_again(arguments) if again else recorded(RECORDINGS, arguments.only)
    if not results:
        print("no gap was left to ask about")
        return 0
    if arguments.ledger:
        print_ledger(results)
        return 0
    met = print_table(*summed(results))
    print("bars (half closed, 60 % admitted, 6,000 tokens): " + ("met" if met else "MISSED"))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
