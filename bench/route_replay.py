"""Replay real commits: how many full test runs the route avoids, and what that lets pass.

    python bench/route_replay.py --mirrors CLONES --work DIR --json FILE
        [--projects a,b,c] [--commits 110] [--faults 10] [--minutes M]
        [--rules] [--faults-only] [--tell]

The newest commits of a project's main line, oldest first, as a team that works with this would
have met them. Before the first of them a model is calibrated on the history until then (with
--rules: none, the written rules speak) and the whole suite runs once, which fills the map of what
each test runs. Then, for each commit, `aipipe analyze`, started by the Python that runs the tests,
names the route, and what the route says is run, by the command that `aipipe run` starts: nothing,
the impacted tests (`pytest --ai-diff PARENT..COMMIT`), or everything. The map learns from these
runs and from no other. Beside them, out of the map's sight, the whole suite's outcomes on the
parent and on the commit are found; they are kept by the tree's content in DIR, for they do not
depend on us.

A *full run is avoided* when not all of the collected tests were run: the route skips the tests, or
at least one was left out; *tests run* is the mean share that was. The environment stays as it is
for all commits, so that the map would not notice what a commit asks to have installed; a route
that runs everything for that reason counts as a full run. A commit is *passed by* when the whole
suite fails where the parent's did not, and nothing that the route ran fails so.

History seldom has commits that fail, so faults are put back: for --faults commits of each
project that changed functions, one small edit in a changed function that makes the whole
suite fail newly; the route of the commit with the fault, on the map as it was then, has to
catch it.

The answers are kept in FILE after each commit; the same command goes on where it stopped,
after --minutes it stops by itself, and with --tell it only prints what is there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import sys
import time
import tomllib
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from route_checkout import BENCH, Checkout, Outcomes, failing, load  # noqa: E402
from route_faults import faults_of  # noqa: E402

from aipipe.analyze import Analysis  # noqa: E402
from aipipe.calibrate.steps import calibrate  # noqa: E402
from aipipe.pipeline.model import Stage  # noqa: E402
from aipipe.risk.score import Risk  # noqa: E402
from aipipe.route import Route  # noqa: E402
from aipipe.run.agents import argv_of  # noqa: E402
from aipipe_core.change import read_change  # noqa: E402
from aipipe_core.config import load as load_settings  # noqa: E402
from aipipe_core.errors import AipipeError  # noqa: E402

Row = dict[str, Any]
RERUNS = 2
QUIET = ["--ai-engine=none", "--ai-behavior=off"]
"""What comes after the tests that were there, generated ones included, chooses none of them."""


class Replay:
    """One project's replay; ``rows`` by commit, ``faults`` by commit, both as they are kept."""

    def __init__(self, checkout: Checkout, kept: Row, *, rules: bool) -> None:
        self.checkout = checkout
        self.kept = kept
        self.rules = rules
        self.settings = load_settings(checkout.tree, environ={}, flags={})
        kept.setdefault("rows", {})
        kept.setdefault("faults", {})

    def calibrate(self, start: str) -> None:
        """Learn from the history up to ``start``, as it was known then."""
        if self.rules or "calibrated" in self.kept:
            return
        self.checkout.go_to(start)
        # What an earlier replay has walked would tell of the future.
        shutil.rmtree(self.checkout.tree / ".aipipe" / "past", ignore_errors=True)
        then = float(self.checkout.git("log", "-1", "--format=%ct"))
        try:
            outcome = calibrate(self.checkout.tree, self.checkout.tree / ".aipipe", now=then)
            said = f"{outcome.commits} commits, {'adopted' if outcome.adopted else 'refused'}"
            self.kept["calibrated"] = f"{said}: {outcome.why}"
        except AipipeError as error:
            self.kept["calibrated"] = f"not: {error.slug}"

    def fill_map(self, start: str) -> None:
        """Run everything once at ``start``, which tells the map of each test."""
        if "map" in self.kept:
            return
        self.checkout.go_to(start)
        self.checkout.forget_map()
        words = ["--ai-diff=worktree", "--ai-select=off", *QUIET]
        self.kept["map"] = len(self.checkout.pytest(words)[0])

    def replay(self, parent: str, commit: str) -> Row:
        """Return the row of one commit."""
        self.checkout.go_to(parent)
        before = self.checkout.suite()
        self.checkout.go_to(commit)
        now = self.checkout.suite()
        analysis = self.analysis(f"{parent}..{commit}")
        row = self.routed(analysis)
        if "code" in row["kinds"]:
            self.checkout.keep_map(commit)
        new = failing(now) - failing(before)
        row["broken"] = not (now.keys() - failing(now) or before.keys() - failing(before))
        ran = row.pop("outcomes")
        row["tests"], row["newly"] = len(now), sorted(new)[:20]
        row["subject"] = self.checkout.git("log", "-1", "--format=%s")[:80]
        row["caught"] = bool(new & failing(ran))
        if new and not row["caught"]:
            row["confirmed"] = self.confirmed(parent, commit, new)
        return row

    def analysis(self, spec: str) -> Analysis:
        """Return what `aipipe analyze` says, where the tests' own packages are installed."""
        said = self.checkout.analyze(spec)
        change = read_change(self.checkout.tree, spec, exclude=self.settings.exclude)
        told = said["risk"]
        risk = Risk(told["probability"], told["level"], (), told["source"])
        why = said["route"].pop("why")
        return Analysis(change, risk, Route(**said["route"]), why)

    def routed(self, analysis: Analysis) -> Row:
        """Run what the route says; ``outcomes`` are of what ran."""
        row: Row = {
            "level": analysis.risk.level,
            "source": analysis.risk.source,
            "kinds": sorted(analysis.change.kinds),
            "files": [file.path for file in analysis.change.files][:20],
            "route": asdict(analysis.route)["tests"],
            "why": analysis.why.get("tests", ""),
            "collected": 0,
            "selected": 0,
            "seconds": 0.0,
        }
        if row["route"] == "skip":
            return {**row, "outcomes": {}}
        report = self.checkout.work / self.checkout.name
        report.mkdir(exist_ok=True)
        (report / "tests.json").unlink(missing_ok=True)
        argv = argv_of(Stage("test", "test", 0, uses="tests"), analysis, report)
        begun = time.monotonic()
        outcomes, code = self.checkout.pytest([*argv[3:], *QUIET])
        row["seconds"], row["code"] = round(time.monotonic() - begun, 2), code
        found = load(report / "tests.json")
        if found is None:
            return {**row, "error": "no report", "outcomes": outcomes}
        row["collected"] = found["selection"]["collected"]
        row["selected"] = found["selection"]["selected"]
        row["reason"] = common(found["selection"]["reasons"])
        return {**row, "outcomes": outcomes}

    def confirmed(self, parent: str, commit: str, new: set[str]) -> bool:
        """Whether the failures are the commit's: they come again, and not on the parent."""
        for _ in range(RERUNS):
            self.checkout.go_to(parent)
            if new <= failing(self.checkout.suite(cached=False)):
                return False
            self.checkout.go_to(commit)
            if not new & failing(self.checkout.suite(cached=False)):
                return False
        return True

    def fault(self, parent: str, commit: str) -> Row | None:
        """Put a fault into what the commit changed; None where none makes the suite fail."""
        self.checkout.go_to(commit)
        sound = failing(self.checkout.suite())
        if not self.checkout.use_map(commit):
            return None
        for file, fault in faults_of(self.checkout.tree, parent, commit):
            path = self.checkout.tree / file
            text = path.read_text(encoding="utf-8")
            try:
                path.write_text(fault.source, encoding="utf-8")
                new = failing(self.checkout.suite(cached=False)) - sound
                if not new:
                    continue
                row = self.routed(self.analysis(parent))
                caught = bool(new & failing(row.pop("outcomes")))
                edit = f"{fault.before.strip()[:60]} -> {fault.after.strip()[:60]}"
                return {**row, "fault": f"{file}:{fault.line} {edit}", "newly": sorted(new)[:20],
                        "failing": len(new), "caught": caught}  # fmt: skip
            finally:
                path.write_text(text, encoding="utf-8")
        return None


def common(reasons: dict[str, str]) -> str:
    """Return the reason that selected most tests."""
    found = Counter(reasons.values()).most_common(1)
    return found[0][0] if found else ""


def is_avoided(row: Row) -> bool:
    """Whether less than the whole suite ran."""
    if row["route"] == "impacted":
        return bool(row["collected"] and row["selected"] < row["collected"])
    return bool(row["route"] == "skip")


def told(name: str, rows: list[Row], faults: list[Row]) -> str:
    """Return a project's line of the table."""
    routes = Counter(row["route"] for row in rows)
    avoided = sum(map(is_avoided, rows))
    failed = [row for row in rows if row["newly"]]
    missed = [row for row in failed if not row["caught"] and row.get("confirmed", True)]
    ran = sum(_share(row) for row in rows)
    caught = sum(row["caught"] for row in faults)
    partly = sum(is_avoided(row) for row in faults)
    return (
        f"{name:<15} {len(rows):>7} {routes['skip']:>5} {routes['impacted']:>9} "
        f"{routes['full'] + routes['full+extra']:>5} {avoided:>8} {avoided / len(rows):>6.1%} "
        f"{ran / len(rows):>10.1%} {len(failed):>8} {len(missed):>9} "
        f"{caught:>6} of {len(faults)} ({partly} with tests left out)"
    )


def _share(row: Row) -> float:
    """The part of the suite that ran."""
    if row["route"] == "impacted" and row["collected"]:
        return float(row["selected"] / row["collected"])
    return 0.0 if row["route"] == "skip" else 1.0


def tell(kept: dict[str, Row]) -> None:
    """Print the table, and each commit and fault that was passed by."""
    print(f"{'project':<15} {'commits':>7} {'skip':>5} {'impacted':>9} {'full':>5} {'avoided':>8} "
          f"{'':>6} {'tests run':>10} {'failing':>8} {'passed by':>9} faults caught")  # fmt: skip
    rows: list[Row] = []
    faults: list[Row] = []
    for name, found in kept.items():
        of_project = [row for row in found["rows"].values() if not row.get("broken")]
        if len(of_project) < len(found["rows"]):
            print(f"{name}: {len(found['rows']) - len(of_project)} commits whose suite cannot run")
        put_back = [row for row in found["faults"].values() if row]
        if of_project:
            print(told(name, of_project, put_back))
        rows += of_project
        faults += put_back
    if rows:
        print(told("all", rows, faults))
    for name, found in kept.items():
        for commit, row in {**found["rows"], **found["faults"]}.items():
            if row and row["newly"] and not row["caught"] and row.get("confirmed", True):
                what = row.get("fault", row.get("subject"))
                print(f"passed by: {name} {commit[:10]} {what}: {row['newly'][0]}")


def by_reason(kept: dict[str, Row]) -> None:
    """Print why whole suites ran."""
    reasons: Counter[str] = Counter()
    for name, found in kept.items():
        for row in found["rows"].values():
            if not is_avoided(row) and not row.get("broken"):
                reason = row.get("reason") if row["route"] == "impacted" else row["why"]
                reasons[f"{name}: {row['route']}, {reason}"] += 1
    print("\nwhole suites, by reason")
    for reason, count in reasons.most_common(25):
        print(f"{count:5} {reason}")


def run_project(replay: Replay, save: Any, commits: int, faults: int, until: float) -> bool:
    """Replay one project; return whether it came to its end before ``until``."""
    pairs = list(itertools.pairwise(replay.checkout.commits(commits)))
    replay.calibrate(pairs[0][0])
    replay.fill_map(pairs[0][0])
    for parent, commit in pairs:
        if commit not in replay.kept["rows"]:
            if time.monotonic() > until:
                return False
            replay.kept["rows"][commit] = replay.replay(parent, commit)
            save()
    return put_back(replay, save, pairs, faults, until)


def put_back(
    replay: Replay, save: Any, pairs: list[tuple[str, str]], faults: int, until: float
) -> bool:
    """Put faults into what was replayed, the newest commit first."""
    for parent, commit in reversed(pairs):
        if sum(1 for row in replay.kept["faults"].values() if row) >= faults:
            break
        row = replay.kept["rows"].get(commit)
        if row is None or row.get("broken") or row["newly"] or "code" not in row["kinds"]:
            continue
        if commit in replay.kept["faults"]:
            continue
        if time.monotonic() > until:
            return False
        replay.kept["faults"][commit] = replay.fault(parent, commit)
        save()
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--mirrors", type=Path)
    parser.add_argument("--work", type=Path, default=Path(".aipipe/route-replay"))
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--projects", default="boltons,humanize,itsdangerous")
    parser.add_argument("--commits", type=int, default=110)
    parser.add_argument("--faults", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rules", action="store_true", help="no model: the written rules")
    parser.add_argument("--faults-only", action="store_true", help="into what is replayed already")
    parser.add_argument("--tell", action="store_true", help="only print what is kept")
    options = parser.parse_args()
    kept: dict[str, Row] = load(options.json) or {}
    if not options.tell:
        replay_all(options, kept)
    tell(kept)
    by_reason(kept)
    return 0


def replay_all(options: argparse.Namespace, kept: dict[str, Row]) -> None:
    """Replay what is wanted and not there yet."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]
    known = tomllib.loads((BENCH / "route_projects.toml").read_text(encoding="utf-8"))
    work = options.work.resolve()
    until = time.monotonic() + 60 * options.minutes
    for name in options.projects.split(","):
        clone = options.mirrors.resolve() / known[name]["clone"] / "repo"
        trees: dict[str, Outcomes] = load(work / f"{name}.suites.json") or {}
        checkout = Checkout(name, clone, work, known[name]["needs"], trees)
        checkout.prepare()
        replay = Replay(checkout, kept.setdefault(name, {}), rules=options.rules)

        def save(checkout: Checkout = checkout) -> None:
            suites = checkout.work / f"{checkout.name}.suites.json"
            suites.write_text(json.dumps(checkout.known), encoding="utf-8")
            options.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")

        if options.faults_only:
            pairs = list(itertools.pairwise(checkout.commits(options.commits)))
            over = put_back(replay, save, pairs, options.faults, until)
        else:
            over = run_project(replay, save, options.commits, options.faults, until)
        if not over:
            print(f"{name}: not at its end; the same command goes on")
            return


if __name__ == "__main__":
    sys.exit(main())
