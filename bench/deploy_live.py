"""Live canaries: real containers, real users, and the judge alone to decide.

    python bench/deploy_live.py [--runs 5] [--rate 50] [--watch 60] [--only KIND ...] [--log]

The old version answers after 20 ms. A/A releases the same as a canary of 10 %; A/B one that
fails one request in five, one that fails one in twenty, and one that takes twice as long. Of
each bad one it prints the seconds from its first bad answer (the container's own log; for the
slow one from its first answer) to the verdict and to the last request that a user had answered
by it, and what users lost: they ask idempotently, and the proxy asks the old version again.
Ends with 1 when a good one is taken back, a bad one is not, users lose a request, or full
recovery of the one that fails one in five takes 10 s or more. Needs a Docker engine and HAProxy.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from deploy_load import Load  # noqa: E402 - a script beside this one
from deploy_shop import IMAGE, Shop, build_images, docker, project  # noqa: E402 - likewise

RECOVERY = 10.0


@dataclass(frozen=True)
class Kind:
    """A canary: its version, whether it is to be taken back, and the judge's bar in seconds."""

    name: str
    version: str
    bad: bool
    bar: float = 0.0


KINDS = (
    Kind("A/A", "same", bad=False),
    Kind("A/B, 20 % errors", "twenty", bad=True, bar=5.0),
    Kind("A/B, 5 % errors", "five", bad=True, bar=20.0),
    Kind("A/B, doubled latency", "slow", bad=True, bar=8.0),
)


def configure(shop: Shop, watch: float) -> None:
    """A canary of one step that is watched as long as asked."""
    shop.configure(f"{IMAGE}:calm")
    file = shop.folder / "aipipe.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace("seconds = 1.5", f"seconds = {watch}")
    text = text.replace("step_seconds = 1", f"step_seconds = {watch}")
    file.write_text(text.replace("steps = [10, 50]", "steps = [10]"), encoding="utf-8")


def first_bad(shop: Shop, version: str) -> float | None:
    """When a container of ``version`` first answered badly, by its own log."""
    names = docker("ps", "--all", "--format", "{{.Names}}\t{{.Image}}", "--filter",
                   f"label=dev.aipipe.project={shop.name}").splitlines()  # fmt: skip
    times = [
        float(line.split()[1])
        for row in names
        if row.endswith(f":{version}")
        for line in docker("logs", row.split("\t")[0]).splitlines()
        if line.startswith("bad ")
    ]
    return min(times, default=None)


def run(shop: Shop, kind: Kind, rate: float, log: bool) -> dict[str, Any]:
    """Release one canary under load, and bring the old version back where it stayed."""
    load = Load(shop.url, connections=8, rate=rate, seconds=500)
    load.start()
    time.sleep(2.0)
    done = shop.run("up", "--strategy", "canary", "--image", f"web={IMAGE}:{kind.version}")
    fell = time.time()
    time.sleep(2.0)
    load.end()
    result = load.result()
    served = [(asked, at) for at, _, word, asked in load.answers() if word == kind.version]
    began = first_bad(shop, kind.version)
    if began is None:
        began = served[0][0] if served else fell
    back = done.returncode == 1
    if log:
        print(done.stdout + done.stderr)
    if not back:
        shop.run("rollback")
    last = max((asked for asked, _ in served), default=began)
    return {"back": back, "after": max(0.0, last - began), "whole": max(0.0, fell - began),
            "sent": result["sent"], "lost": result["lost"], "by_new": len(served),
            "said": done.stdout.strip().splitlines()[-1:] }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--watch", type=float, default=60.0)
    parser.add_argument("--only", nargs="*", help="versions")
    parser.add_argument("--log", action="store_true", help="print what each release said")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    build_images()
    wrong, rows = 0, []
    with project(f"live{os.getpid() % 1000}") as shop:
        configure(shop, options.watch)
        assert shop.run("up").returncode == 0
        print("| canary of 10 % | bar | taken back | to the last request on it, median (most) "
              "| sent | lost |\n|---|---|---|---|---|---|", flush=True)  # fmt: skip
        for kind in KINDS:
            if options.only and kind.version not in options.only:
                continue
            runs = [run(shop, kind, options.rate, options.log) for _ in range(options.runs)]
            back = sum(one["back"] for one in runs)
            times = [one["after"] for one in runs if one["back"]]
            lost = sum(one["lost"] for one in runs)
            shown = f"{statistics.median(times):.1f} s ({max(times):.1f} s)" if times else "-"
            bar = f"{kind.bar:g} s" if kind.bad else "none taken back"
            print(f"| {kind.name} | {bar} | {back} of {len(runs)} | {shown} "
                  f"| {sum(one['sent'] for one in runs)} | {lost} |", flush=True)  # fmt: skip
            wrong += back != (len(runs) if kind.bad else 0) or lost > 0
            wrong += kind.version == "twenty" and max(times, default=0.0) >= RECOVERY
            wrong += kind.bad and statistics.median(times or [kind.bar + 1]) > kind.bar
            rows += [{"kind": kind.name, **one} for one in runs]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(f"\n{wrong} bars missed" if wrong else "\nEvery bar is met.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
