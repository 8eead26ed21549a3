"""What the selection bench prints: a line for each row, and a table of all."""

from __future__ import annotations

import statistics
from typing import Any

KINDS = ("forward", "back", "mutant")
SHARES = ("ours", "line", "guard", "testmon")


def reasons(ours: Any, extra: set[str]) -> dict[str, int]:
    """Count the reasons of what runs beyond the limit."""
    found: dict[str, int] = {}
    for nodeid in extra:
        why = ours.get("reasons", {}).get(nodeid, "?")
        found[why] = found.get(why, 0) + 1
    return found


def examples(ours: Any, extra: set[str]) -> dict[str, str]:
    """Return one test of each reason."""
    return {ours.get("reasons", {}).get(one, "?"): one for one in sorted(extra, reverse=True)}


def told(row: dict[str, Any]) -> str:
    """Return a row as one line."""
    if row["kind"] == "stuck":
        return f"{row['key']:34} came to no end: {row['what']}"
    shares = "  ".join(f"{name} {100 * row[name] / row['collected']:5.1f}" for name in SHARES)
    missed = f" MISSED {row['missed']}" if row["missed"] else ""
    theirs = f" testmon missed {len(row['testmon_missed'])}" if row["testmon_missed"] else ""
    at = "" if row["first"] is None else f" first {100 * row['first']:.0f} %"
    fell = row.get("fell") or [0]
    missed += f" fell with another {fell[0]}" if fell[0] else ""
    line = f"{row['key']:34} {shares} %  failing {row['failing']}{at}{missed}{theirs}"
    return f"{line}  {1000 * (row['select'] or 0):.0f} ms {row['extra'] or ''}"[:420]


def table(rows: list[dict[str, Any]]) -> None:
    """Print the figures of each kind of row, and the time of the decisions."""
    heads = ("rows", "ours %", "line %", "guard %", "testmon %", "over", "most", "failing",
             "missed", "testmon", "first at %", "in order %")  # fmt: skip
    print(f"\n{'':8}" + "".join(f"{head:>11}" for head in heads))
    for kind in KINDS:
        some = [row for row in rows if row["kind"] == kind]
        if some:
            _kind(kind, some)
    times = [1000 * row["select"] for row in rows if row.get("select")]
    if times:
        print(f"decision: median {statistics.median(times):.0f} ms, most {max(times):.0f} ms")
    stuck = sum(row["kind"] == "stuck" for row in rows)
    if stuck:
        print(f"{stuck} rows came to no end and are not counted")


def _kind(kind: str, some: list[dict[str, Any]]) -> None:
    share = {name: [100 * row[name] / row["collected"] for row in some] for name in SHARES}
    over = [mine - best for mine, best in zip(share["ours"], share["guard"], strict=True)]
    figures = [
        len(some),
        *(statistics.mean(share[name]) for name in SHARES),
        statistics.mean(over),
        max(over),
        sum(row["failing"] for row in some),
        sum(len(row["missed"]) for row in some),
        sum(len(row["testmon_missed"]) for row in some),
        _middle([100 * row["first"] for row in some if row["first"] is not None]),
        _middle([100 * row["plain_first"] for row in some if row["plain_first"] is not None]),
    ]
    shown = (f"{one:11d}" if isinstance(one, int) else f"{one:11.1f}" for one in figures)
    print(f"{kind:8}" + "".join(shown))
    print(
        f"        more than 5 points over the limit: {sum(one > 5 for one in over)} rows; more "
        f"than testmon: {sum(row['ours'] > row['testmon'] for row in some)}; with a miss: "
        f"{sum(bool(row['missed']) for row in some)}, "
        f"testmon {sum(bool(row['testmon_missed']) for row in some)}"
    )
    fell = [sum((row.get("fell") or [0, 0])[at] for row in some) for at in (0, 1)]
    print(
        f"        left out, failing only after a selected test that failed: {fell[0]}, "
        f"testmon {fell[1]}"
    )


def _middle(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")
