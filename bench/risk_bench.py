"""How well risk is told from history: AUC, precision-recall, Brier and calibration error.

    python bench/risk_bench.py --mirrors CLONES [--cache DIR] [--projects a+b,c+d] [--prior FILE]
                                [--svg FILE]

CLONES holds `<owner>+<name>/repo`, git directories with their whole history. Every project is
split by time: what had ripened at a moment is learned from, the newest 30 % of what is ripe
today is judged. The prior that stands beside a project's own history never saw that project:
projects are dealt into folds, and each fold's prior is fitted over the others. `lines added`
is the number of added lines of the same commits. With `--prior` the scorecard over all
projects is written to FILE, the way the one in the package was made.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aipipe.calibrate.fit import fit_model, fit_scorecard, levels_of, predict
from aipipe.calibrate.picture import Point, picture, points_of
from aipipe.calibrate.scores import Scores, curve, interval, scores
from aipipe.calibrate.steps import LATELY
from aipipe.calibrate.table import Split, Table, split, table_of
from aipipe.past.learn import learned
from aipipe_core.change.git import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aipipe.calibrate.scorecard import Scorecard

FOLDS = 4
LEAST = 15
"""Faulty commits below which a project's judged part says nothing."""


def mined(mirrors: Path, cache: Path, name: str) -> Table:
    """The table of a project, from the cache where it is there."""
    top = mirrors / name / "repo"
    head = run(top, "rev-parse", "HEAD").text
    begun, cpu = time.monotonic(), sum(os.times()[:4])
    walk = learned(top, head, cache / name)
    table = table_of(walk.rows.values())
    print(
        f"{name:<30} {len(walk.times):>6} commits, {len(walk.faulty):>5} faulty, "
        f"{time.monotonic() - begun:6.1f} s, {sum(os.times()[:4]) - cpu:6.1f} s of CPU",
        flush=True,
    )
    return table


def joined(tables: list[Table]) -> Table:
    return Table(
        tables[0].names,
        np.concatenate([t.times for t in tables]),
        np.concatenate([t.found for t in tables]),
        np.concatenate([t.values for t in tables]),
    )


def judged(
    parts: Split, card: Scorecard
) -> tuple[dict[str, Scores], NDArray[np.float64], NDArray[np.float64]]:
    """Scores, probabilities, and where the levels begin as they were drawn from the past."""
    model = fit_model(parts.past, card, parts.fresh)
    later, labels = parts.later, parts.later.labels
    probabilities = predict(model, later)
    lines = np.expm1(later.column("lines_added"))
    code = later.column("no_code") == 0
    found = {
        "lines": scores(labels, lines / (lines.max() + 1)),
        "ours": scores(labels, probabilities),
        "code lines": scores(labels[code], (lines / (lines.max() + 1))[code]),
        "code ours": scores(labels[code], probabilities[code]),
    }
    levels = levels_of(predict(model, parts.past)[-LATELY:])
    return found, probabilities, np.array([0.0, levels["medium"], levels["high"]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".aipipe/risk-bench"))
    parser.add_argument("--projects", help="names, by comma; every clone with none")
    parser.add_argument("--prior", type=Path, help="write the scorecard over all projects here")
    parser.add_argument("--svg", type=Path, help="draw the calibration curve of all projects there")
    parser.add_argument("--mine-only", action="store_true")
    arguments = parser.parse_args()
    names = (
        arguments.projects.split(",")
        if arguments.projects
        else sorted(path.parent.name for path in arguments.mirrors.glob("*/repo"))
    )
    if len(names) < 2:
        parser.error(f"two projects are needed, {arguments.mirrors} has {len(names)}: the prior"
                     " beside a project is fitted over others")  # fmt: skip
    tables = {name: mined(arguments.mirrors, arguments.cache, name) for name in names}
    if arguments.mine_only:
        return
    parts = {name: split(table, float(table.times.max())) for name, table in tables.items()}
    fold = {name: n % FOLDS for n, name in enumerate(names)}
    cards: dict[str, Scorecard] = {}
    for n in range(FOLDS):
        others = [parts[name].past for name in names if fold[name] != n]
        if not others:
            continue
        card = fit_scorecard(joined(others))
        cards |= {name: card for name in names if fold[name] == n}
    points = tell(parts, cards)
    if arguments.svg:
        title = "Held out in time, all projects"
        arguments.svg.write_text(picture(points, title, standalone=True), encoding="utf-8")
    if arguments.prior:
        everything = joined([table.ripe(float(table.times.max())) for table in tables.values()])
        card = fit_scorecard(everything, f"{len(everything):,} commits of {len(names)} projects")
        arguments.prior.write_text(written(card.document()), encoding="utf-8")


def written(document: dict[str, object]) -> str:
    """JSON with one measure a line, to be read by people."""
    measures = document["measures"]
    assert isinstance(measures, dict)
    lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(measures.items()))
    head = {key: value for key, value in document.items() if key != "measures"}
    return json.dumps(head)[:-1] + ', "measures": {\n' + lines + "\n}}\n"


def tell(parts: dict[str, Split], cards: dict[str, Scorecard]) -> list[Point]:
    print(f"\n{'project':<30} {'past':>6} {'judged':>6} {'faulty':>6} |  lines   ours |"
          "  PR lines   ours |  Brier    ECE | code only: lines   ours")  # fmt: skip
    rows, predictions, labels, steps = [], [], [], []
    for name, part in parts.items():
        later = part.later
        if part.later.labels.sum() < LEAST:
            print(f"{name:<30} {len(part.past):>6} {len(part.later):>6} "
                  f"{int(part.later.labels.sum()):>6} | too few to judge")  # fmt: skip
            continue
        found, probabilities, levels = judged(part, cards[name])
        rows.append(found)
        steps.append(np.searchsorted(levels, probabilities, side="right") - 1)
        labels.append(later.labels)
        predictions.append(probabilities)
        a, b, c, d = (found[key] for key in ("lines", "ours", "code lines", "code ours"))
        print(
            f"{name:<30} {len(part.past):>6} {len(later):>6} {later.labels.mean():>6.1%} | "
            f"{a.auc:6.3f} {b.auc:6.3f} | {a.precision_recall:9.3f} {b.precision_recall:6.3f} | "
            f"{b.brier:6.3f} {b.calibration:6.3f} | {c.auc:17.3f} {d.auc:6.3f}",
            flush=True,
        )
    if not rows:
        sys.exit(f"no project has {LEAST} faulty commits in its judged part")
    for label, ours, lines in (("all commits", "ours", "lines"),
                               ("commits with code", "code ours", "code lines")):  # fmt: skip
        better = np.array([row[ours].auc for row in rows])
        plain = np.array([row[lines].auc for row in rows])
        low, high = interval(better - plain)
        print(f"\n{label}, {len(rows)} projects: mean AUC {better.mean():.3f}, lines added "
              f"{plain.mean():.3f}; difference {(better - plain).mean():+.3f} "
              f"(95 % of bootstraps over projects: {low:+.3f} to {high:+.3f})")  # fmt: skip
    print(f"mean calibration error {np.mean([row['ours'].calibration for row in rows]):.3f}, "
          f"worst {max(row['ours'].calibration for row in rows):.3f}; "
          f"mean Brier {np.mean([row['ours'].brier for row in rows]):.3f}")  # fmt: skip
    print("\nlevel   commits  of the faulty ones (mean over projects)")
    for number, level in enumerate(("low", "medium", "high")):
        every = np.mean([(step == number).mean() for step in steps])
        faulty = np.mean([(s[one] == number).mean() for s, one in zip(steps, labels, strict=True)])
        print(f"{level:<7} {every:7.1%} {faulty:7.1%}")
    print("\npredicted  observed  commits")
    points = points_of(curve(np.concatenate(labels), np.concatenate(predictions)))
    for predicted, observed, count in points:
        print(f"{predicted:9.3f} {observed:9.3f} {count:8d}")
    return points


if __name__ == "__main__":
    main()
