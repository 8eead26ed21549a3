"""The judge beside other methods, on simulated windows: false rollbacks and delays.

    python bench/judge_bench.py [--windows N] [--rival-windows N] [--only TEXT] [--json FILE]

Needs numpy. Prints one Markdown table; ends with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from judge_rivals import RIVALS
from judge_streams import Scenario, between, constant, exponential, lognormal, windows

OURS = next(iter(RIVALS))


@dataclass(frozen=True)
class Row:
    """A scenario and the bar that it is held to."""

    scenario: Scenario
    most_false: float | None = None
    median: float | None = None
    seconds: float = 600.0


def decaying(times: float, half: float) -> object:
    return lambda t: 1.0 + (times - 1.0) * np.exp2(-t / half)


def _shared(low: float, high: float, rate: float) -> dict[str, object]:
    shape = between(low, high, rate, 0.002)
    return {"old_rate": shape, "new_rate": shape}


def _slow(low: float, high: float, factor: float) -> dict[str, object]:
    shape = between(low, high, factor, 1.0)
    return {"old_slow": shape, "new_slow": shape}


def _drift(t: np.ndarray) -> np.ndarray:
    return 0.002 * (1.0 + 4.0 * t / 600.0)


def _day(t: np.ndarray) -> np.ndarray:
    return 1.0 + 0.8 * np.sin(t / 600.0 * 2.0 * math.pi)


def _steps(t: np.ndarray) -> np.ndarray:
    return np.select([t < 120, t < 240, t < 400], [0.05, 0.1, 0.25], 0.5)


def rows() -> list[Row]:
    """All scenarios: first those that must not roll back, then those that must."""
    s = Scenario
    calm = [
        s("A/A, 50 rps"),
        s("A/A, 500 rps", rps=500),
        s("A/A, 0.25 s ticks", step=0.25),
        s("A/A, half the traffic", share=0.5),
        s("A/A, 5 % of the traffic", share=0.05),
        s("A/A, 95 % of the traffic", share=0.95),
        s("A/A, the share grows in steps", shares=_steps),
        s("errors drift for both", old_rate=_drift, new_rate=_drift),
        s("load swings", load=_day),
        s("clumped errors, dispersion 4", dispersion=4.0),
        s("shared outage", **_shared(200, 260, 0.5)),
        s("shared outage from the start", **_shared(0, 60, 0.3)),
        s("shared outage, 95 % of the traffic", share=0.95, **_shared(200, 260, 0.5)),
        s("shared total outage", **_shared(200, 230, 1.0)),
        s("shared slowdown", **_slow(200, 300, 3.0)),
        s("shared slowdown, 500 rps", rps=500, **_slow(200, 300, 3.0)),
        s("warm-up: 3x slower for 3 s", new_slow=between(0, 3, 3.0, 1.0)),
        s("warm-up: 5x slower for 4 s", new_slow=between(0, 4, 5.0, 1.0)),
        s("warm-up: 3x slower, halved each second", new_slow=decaying(3.0, 1.0)),
    ]
    bursts = [
        s("a burst of ten on the new version", bursts=1.0),
        s("ten bursts of ten on either version", bursts=10.0, burst_arm="either"),
        s("ten bursts of ten on the new version", bursts=10.0),
        s("ten bursts of ten at 95 % of the traffic", bursts=10.0, share=0.95),
        s("bursts of ten, no other errors", bursts=5.0, background=0.0),
        s("bursts of ten, 500 rps", bursts=5.0, rps=500),
    ]
    bad = constant
    faults = [
        (s("20 % errors", new_rate=bad(0.2)), 5.0),
        (s("20 % errors, 0.25 s ticks", new_rate=bad(0.2), step=0.25), 5.0),
        (
            s("20 % errors from 200 s on", new_rate=between(200, 999, 0.2, 0.002), fault_at=200),
            None,
        ),
        (s("5 % errors", new_rate=bad(0.05)), 20.0),
        (s("5 % errors, 0.25 s ticks", new_rate=bad(0.05), step=0.25), 20.0),
        (s("5 % errors, 500 rps", new_rate=bad(0.05), rps=500), None),
        (s("20 % errors, 95 % of the traffic", new_rate=bad(0.2), share=0.95), None),
        (s("50 % errors, 95 % of the traffic", new_rate=bad(0.5), share=0.95), None),
        (s("1 % errors, 500 rps", new_rate=bad(0.01), rps=500), None),
        (s("20 % errors, clumped background", new_rate=bad(0.2), dispersion=4.0), None),
        (s("5 % errors, clumped background", new_rate=bad(0.05), dispersion=4.0), None),
        (s("every request fails", new_rate=bad(1.0)), None),
        (s("latency doubled", new_slow=bad(2.0)), 8.0),
        (s("latency doubled, 0.25 s ticks", new_slow=bad(2.0), step=0.25), 8.0),
        (
            s("latency doubled from 200 s on", new_slow=between(200, 999, 2.0, 1.0), fault_at=200),
            8.0,
        ),
        (s("latency doubled, sigma 0.7", new_slow=bad(2.0), latency=lognormal(0.7)), None),
        (s("latency doubled, exponential", new_slow=bad(2.0), latency=exponential()), None),
    ]
    return (
        [Row(x, most_false=0.005) for x in calm]
        + [Row(x, most_false=0.01) for x in bursts]
        + [Row(x, median=bar, seconds=180.0 if x.fault_at is None else 300.0) for x, bar in faults]
    )


def measure(name: str, count: int, rival_count: int, seed: int) -> dict[str, list[float | None]]:
    """Return times of rollback of every method over ``count`` windows of the scenario ``name``."""
    row = next(row for row in rows() if row.scenario.name == name)
    scenario = replace(row.scenario, seconds=row.seconds)
    times: dict[str, list[float | None]] = {rival: [] for rival in RIVALS}
    for index, ticks in enumerate(windows(scenario, count, seed)):
        for rival, decide in RIVALS.items():
            if rival == OURS or index < rival_count:
                times[rival].append(decide(ticks, scenario.dispersion))
    return times


def _cell(row: Row, times: list[float | None]) -> tuple[str, bool]:
    start = row.scenario.fault_at or 0.0
    if row.most_false is not None:
        share = sum(t is not None for t in times) / len(times)
        return f"{100 * share:.2f} %", share <= row.most_false
    early = sum(t is not None and t <= start for t in times) / len(times)
    delays = sorted(math.inf if t is None or t <= start else t - start for t in times)
    median = delays[len(delays) // 2]
    cell = f"{median:g} s" if median < math.inf else "missed"
    return cell + (f" ({100 * early:.0f} % too early)" if early else ""), (
        row.median is None or median <= row.median
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--windows", type=int, default=2000)
    parser.add_argument(
        "--rival-windows", type=int, default=500, help="how many of them the slow rivals get"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="comma-separated parts of scenarios' names")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> int:
    options = _arguments()
    chosen = [
        row for row in rows() if any(part in row.scenario.name for part in options.only.split(","))
    ]
    each = f"{options.windows} windows, the rivals {min(options.windows, options.rival_windows)}"
    print(f"| {each} | bar |", " | ".join(RIVALS), "|")
    print("|---|---|" + "---|" * len(RIVALS), flush=True)
    missed, record = 0, {}
    with ProcessPoolExecutor(options.jobs) as pool:
        names = [row.scenario.name for row in chosen]
        every = len(chosen)
        results = pool.map(
            measure,
            names,
            [options.windows] * every,
            [options.rival_windows] * every,
            [options.seed] * every,
        )
        for row, times in zip(chosen, results, strict=True):
            cells = {rival: _cell(row, times[rival]) for rival in RIVALS}
            missed += not cells[OURS][1]
            bar = f"{row.median:g} s" if row.median else ""
            bar = f"{100 * row.most_false:g} %" if row.most_false is not None else bar
            texts = [
                text if ok or rival != OURS else f"**{text}**"
                for rival, (text, ok) in cells.items()
            ]
            print(f"| {row.scenario.name} | {bar} |", " | ".join(texts), "|", flush=True)
            record[row.scenario.name] = {rival: text for rival, (text, _) in cells.items()}
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    print(f"\n{missed} bars missed" if missed else "\nEvery bar is met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
