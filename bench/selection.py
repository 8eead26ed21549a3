"""Measure the selection of `pytest --ai-diff` on real commits and mutants, beside pytest-testmon.

    python bench/selection.py --mirrors DIR [--corpus DIR] [--work DIR] [--json FILE]
                              [--only NAME ...] [--part I/N] [--minutes M]
                              [--mutants N] [--commits N] [--timeout S] [--patience S]

Each side has an environment of its own under WORK (pytest-testmon cannot share one with
anything that measures coverage) and a checkout of its own of each commit of CORPUS'
`dev.json`. On both the whole suite runs once to make the map. Then, for each of

* `forward`: the author's commit, on the map of its parent,
* `back`: the commit's source taken back while its tests stay, on the commit's own map,
* `mutant`: one fault in a function that the commit changed, on the commit's own map,

the whole suite runs once more without any plugin, and both are asked what they would run. Of
a row: the share that each runs; the *limit*, the share of tests that execute a changed line
("line"), or that or the statement in front of it ("guard"), by a coverage.py of the bench's
own; the tests that fail only with the change, and those of them that were left out and
fail as well without what was selected before them (else a selected one made them fail: the
row's "fell"); how much
of the selected tests' time has passed when the first of them has failed; and how long the
decision took. Rows go to FILE as they are made, and what is in FILE is not made again;
--part splits the work over machines, --minutes bounds it. What does not depend on our
selection (whole runs, pytest-testmon's answers) is kept in WORK, so that with a new FILE only
ours is asked anew. On a machine that does other work as well, raise --timeout and --patience: a
test that is only slow there counts as failed, and a run as one without an end.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from bench.selection_limit import (  # noqa: E402
    changed_files,
    existing,
    git,
    hunks,
    limit,
    pool,
)
from bench.selection_runs import Runs, renew, short  # noqa: E402
from bench.selection_table import examples, reasons, table, told  # noqa: E402

FAILED = "failed when it last ran"
CLEAN = 4
"""Runs without a change in which a test that was left out, and failed, has to pass."""

Case = dict[str, Any]


class Bench(Runs):
    """Runs one case after the other and keeps the rows."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__(arguments)
        self.end = time.monotonic() + arguments.minutes * 60
        self.file = arguments.json
        self.rows = json.loads(self.file.read_text()) if self.file and self.file.exists() else []

    def done(self, key: str) -> bool:
        """Whether the row is there already."""
        return any(row["key"] == key for row in self.rows)

    def keep(self, row: dict[str, Any]) -> None:
        """Add a row, print it, and write them all."""
        self.rows.append(row)
        print(told(row), flush=True)
        if self.file:
            part = self.file.with_suffix(".part")
            part.write_text(json.dumps(self.rows, indent=1))
            part.replace(self.file)

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.end

    # The three kinds of rows

    def case(self, case: Case, mutants: int) -> None:
        """Make the rows of one commit."""
        name = f"{case['repo']}-{case['sha'][:8]}"
        wanted = [f"mutant {name} {n}" for n in range(mutants)]
        if all(map(self.done, [f"forward {name}", f"back {name}", *wanted])):
            return
        mine, theirs = self.record(case, case["sha"])
        for tree in (mine, theirs):  # a run that was cut short may have left its mutant
            git(tree, "checkout", "-q", "-f", "HEAD")
        changed = changed_files(mine, case["parent"], case["sha"])
        before = self.kept(f"{name} whole", lambda: self.whole(case, mine, changed))
        if before is None:
            return
        if not self.done(f"forward {name}") and not self.late:
            self.forward(case, name, before, changed)
        if not self.done(f"back {name}") and not self.late:
            self.back(case, name, mine, theirs, before)
        self.mutants(case, name, mine, theirs, before, mutants)

    def forward(self, case: Case, name: str, after: Any, changed: list[str]) -> None:
        """Make the row of the author's commit."""
        mine, theirs = self.record(case, case["parent"])
        old = self.kept(f"{name} parent", lambda: self.whole(case, mine))
        for tree in (mine, theirs):
            git(tree, "checkout", "-q", "-f", "--detach", case["sha"])
        ours, peers = self.ask(case, mine, theirs, case["parent"], f"forward {name}")
        for tree in (mine, theirs):
            git(tree, "checkout", "-q", "-f", "--detach", case["parent"])
        if old is None or ours is None or peers is None:
            return
        tree = self.tree(case, "ours", case["sha"])
        lines = {file: hunks(tree, case["parent"], case["sha"], file)[1] for file in changed}
        self.row(f"forward {name}", case, old, after, ours, peers, after, tree, lines)

    def back(self, case: Case, name: str, mine: Path, theirs: Path, before: Any) -> None:
        """Make the row of the commit taken back."""
        for tree in (mine, theirs):
            git(tree, "checkout", "-q", case["parent"], "--", *existing(tree, case))
            git(tree, "reset", "-q")
        lines = {file: hunks(mine, case["sha"], case["parent"], file)[0] for file in case["files"]}
        self.broken(f"back {name}", case, mine, theirs, before, lines)

    def mutants(
        self, case: Case, name: str, mine: Path, theirs: Path, before: Any, count: int
    ) -> None:
        """Make the rows of as many mutants, picked at random but the same each time."""
        found = pool(mine, case, before)
        picked = random.Random(name).sample(found, min(count, len(found)))
        for number, (file, mutant) in enumerate(picked):
            key = f"mutant {name} {number}"
            if self.done(key):
                continue
            if self.late:
                return
            for tree in (mine, theirs):
                (tree / file).write_text(mutant.source, "utf-8")
            lines = {file: set(range(mutant.first, mutant.last + 1))}
            what = f"{file}:{mutant.line} {mutant.before} => {mutant.after}"[:120]
            self.broken(key, case, mine, theirs, before, lines, what)

    def broken(
        self, key: str, case: Case, mine: Path, theirs: Path, before: Any,
        lines: dict[str, set[int]], what: str = "",
    ) -> None:  # fmt: skip
        """Ask both about the trees as they are, run everything, and put the trees back."""
        kept = f"{key} {short(what)}"
        texts = {file: (mine / file).read_bytes() for file in lines if (mine / file).exists()}
        fell: dict[str, set[str]] = {}
        try:
            ours, peers = self.ask(case, mine, theirs, "worktree", kept)
            after = self.kept(f"{kept} after", lambda: self.whole(case, mine))
            if after and ours and peers and self.doubted(bad(after) - bad(before), ours, peers):
                renew(mine, texts)
                again = self.kept(f"{kept} again", lambda: self.whole(case, mine))
                for one in bad(after) - (bad(again) if again else set()):
                    after["verdicts"][one] = "flaky"
                for side, asked in (("ours", ours), ("testmon", peers)):
                    renew(mine, texts)
                    left = bad(after) - bad(before) - set(asked["items"])
                    fell[side] = left - self.alone(case, mine, kept, asked["items"], left)
        finally:
            for tree in (mine, theirs):
                renew(tree, {})
        if ours is None or peers is None or after is None:
            row = {"key": key, "repo": case["repo"], "kind": "stuck", "what": what}
            self.keep(row)
            return
        failing = bad(after) - bad(before)
        if self.doubted(failing, ours, peers):
            for one in failing & self.unsteady(case, mine):
                after["verdicts"][one] = "flaky"
        self.row(key, case, before, after, ours, peers, before, mine, lines, what, fell)

    def alone(
        self, case: Case, tree: Path, kept: str, selected: list[str], left: set[str]
    ) -> set[str]:  # fmt: skip
        """Return those of ``left`` that fail where what was ``selected`` does not run."""
        if not left:
            return set()
        name = f"{kept} without {short(json.dumps(sorted(selected)))}"
        seen = self.kept(name, lambda: self.whole(case, tree, without=selected))
        return left & bad(seen) if seen else left

    def unsteady(self, case: Case, tree: Path) -> set[str]:
        """Return the tests that fail now and then without any change."""
        name = f"{case['repo']}-{case['sha'][:8]} clean"
        runs = [self.kept(f"{name} {n}", lambda: self.whole(case, tree)) for n in range(CLEAN)]
        return set().union(*(bad(seen) for seen in runs if seen))

    @staticmethod
    def doubted(failing: set[str], ours: Any, peers: Any) -> bool:
        """Whether somebody left out a failure.

        To count it has to fail again, and never where nothing is changed.
        """
        return bool(failing - set(ours["items"]) or failing - set(peers["items"]))

    def row(
        self, key: str, case: Case, before: Any, after: Any, ours: Any, peers: Any,
        measured: Any, tree: Path, lines: dict[str, set[int]], what: str = "",
        fell: dict[str, set[str]] | None = None,
    ) -> None:  # fmt: skip
        """Keep what came out."""
        fell = fell or {}
        failing = bad(after) - bad(before)
        # Who failed before has to run, on both sides: it says nothing of either.
        doubtful = {one for one, why in ours.get("reasons", {}).items() if why == FAILED}
        known = set(after["verdicts"]) - bad(before) - (doubtful - failing)
        mine = [one for one in ours["items"] if one in known]
        theirs = set(peers["items"]) & known
        plain, guarded = limit(measured, tree, lines), limit(measured, tree, lines, guard=True)
        seconds = after["seconds"]
        self.keep({
            "key": key, "kind": key.partition(" ")[0], "repo": case["repo"], "sha": case["sha"],
            "what": what, "collected": len(known), "ours": len(mine), "testmon": len(theirs),
            "line": len(plain & known), "guard": len((plain | guarded) & known),
            "failing": len(failing),
            "missed": sorted(failing - set(mine) - fell.get("ours", set())),
            "testmon_missed": sorted(failing - theirs - fell.get("testmon", set())),
            "fell": [len(fell.get(side, set()) & failing) for side in ("ours", "testmon")],
            "first": first(mine, failing, seconds),
            "plain_first": first([one for one in known if one in set(mine)], failing, seconds),
            "select": ours["select"], "notes": ours.get("notes", []),
            "extra": reasons(ours, set(mine) - plain - guarded),
            "examples": examples(ours, set(mine) - plain - guarded),
        })  # fmt: skip


def bad(seen: Any) -> set[str]:
    return {one for one, verdict in seen["verdicts"].items() if verdict == "failed"}


def first(order: list[str], failing: set[str], seconds: dict[str, float]) -> float | None:
    """Return the share of the selected tests' time that passes until the first has failed."""
    total = sum(seconds.get(one, 0.0) for one in order)
    passed = 0.0
    for one in order:
        if one in failing:
            return passed / total if total else 0.0
        passed += seconds.get(one, 0.0)
    return None


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, default=PROJECT.parent / "shared" / "corpus")
    parser.add_argument("--cases", type=Path, help="instead of CORPUS' dev.json, of its form")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--mutants", type=int, default=10, help="of each commit")
    parser.add_argument("--commits", type=int, default=99, help="of each project")
    parser.add_argument("--timeout", type=float, default=240.0, help="seconds of a whole run")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds of one test")
    parser.add_argument("--table", action="store_true", help="only print what FILE holds")
    asked = parser.parse_args()
    cases: list[Case] = json.loads((asked.cases or asked.corpus / "dev.json").read_text())
    bench = Bench(asked)
    if not asked.table:
        part, parts = map(int, asked.part.split("/"))
        bench.venvs(cases)
        for case in chosen(cases, asked)[part - 1 :: parts]:
            if not bench.late:
                try:
                    bench.case(case, asked.mutants)
                except OSError as error:
                    print(f"{case['repo']} {case['sha'][:8]}: {error}", flush=True)
    table(bench.rows)
    return int(any(row.get("missed") for row in bench.rows))


def chosen(cases: list[Case], asked: argparse.Namespace) -> list[Case]:
    """Return the cases, one of each project after the other."""
    wanted = set(asked.only or ())
    by_repo: dict[str, list[Case]] = {}
    for case in cases:
        if not wanted or wanted & {case["repo"], case["sha"][:8]}:
            by_repo.setdefault(case["repo"], []).append(case)
    return [
        some[at]
        for at in range(min(asked.commits, max(map(len, by_repo.values()), default=0)))
        for some in by_repo.values()
        if at < len(some)
    ]


if __name__ == "__main__":
    raise SystemExit(main())
