"""The release on the page: its moves on a line of time, and what both versions answered.

From ``deploy.json`` alone. A chart is drawn in its own units, ``WIDTH`` by ``HEIGHT``; the
template turns it into SVG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 640, 120
_EDGE = 4
_LEAST_TOP = 0.02
"""Share of failed requests at the chart's top at least: nobody should see hills in nothing."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A move: when it began and ended (seconds), and where its bar stands (per cent)."""

    text: str
    kind: str
    back: bool
    state: str
    note: str
    began: float | None
    seconds: float | None
    left: float = 0.0
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Chart:
    """One service under watch: lines of failed requests by version, and the words for it."""

    service: str
    old: str
    new: str
    top: float
    words: str
    requests: tuple[int, int]
    failed: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A release: its moves in their order, and a chart for each watched service."""

    seconds: float
    moves: tuple[Moved, ...]
    charts: tuple[Chart, ...]


def timeline_of(deploy: dict[str, Any]) -> Timeline | None:
    """Return the timeline; None where nothing was released."""
    if "moves" not in deploy:
        return None
    ends = [float(move["at"]) for move in deploy["moves"] if move["at"] is not None]
    seconds = max([float(deploy["seconds"]), *ends])
    moves = _ended(deploy["moves"], [float(row["t"]) for row in deploy["metrics"]])
    return Timeline(seconds, tuple(_moves(moves, seconds)), tuple(_charts(deploy)))


def _ended(moves: Sequence[dict[str, Any]], seen: Sequence[float]) -> list[dict[str, Any]]:
    """Return the moves with the end of one that was broken off in place of its beginning.

    Its watch was over with the last row ``seen`` before the next move, where there is one; else
    the next move's end is as near as the document tells.
    """
    found = []
    for place, move in enumerate(moves):
        if move["state"] != "begun" or move["at"] is None:
            found.append(move)
            continue
        later = [float(one["at"]) for one in moves[place + 1 :] if one["at"] is not None]
        until = min(later, default=float("inf"))
        rows = [t for t in seen if move["at"] < t <= until] if move["kind"] == "watch" else []
        end = max(rows, default=until if later else move["at"])
        found.append({**move, "at": end, "note": move["note"] or "broken off"})
    return found


def _moves(moves: Sequence[dict[str, Any]], seconds: float) -> list[Moved]:
    """Return the moves with their times: one begins when the one before it ended."""
    found = []
    began = 0.0
    for move in moves:
        at = move["at"]
        if at is None:
            found.append(_unmade(move))
            continue
        lasted = max(0.0, float(at) - began)
        whole = seconds or 1.0
        left, width = 100 * min(began, seconds) / whole, 100 * lasted / whole
        found.append(
            Moved(
                move["move"], move["kind"], move["back"], move["state"], move["note"],
                round(began, 1), round(lasted, 1), round(left, 2), round(max(width, 0.4), 2),
            )
        )  # fmt: skip
        began = max(began, float(at))
    return found


def _unmade(move: dict[str, Any]) -> Moved:
    text, kind, back, state = (move[name] for name in ("move", "kind", "back", "state"))
    return Moved(text, kind, back, state, move["note"], None, None)


def _charts(deploy: dict[str, Any]) -> list[Chart]:
    rows = deploy["metrics"]
    services = dict.fromkeys(row["service"] for row in rows)
    return [_chart(name, [row for row in rows if row["service"] == name]) for name in services]


def _chart(service: str, rows: Sequence[dict[str, Any]]) -> Chart:
    shares = {arm: [_share(row[arm]) for row in rows] for arm in ("old", "new")}
    top = max(_LEAST_TOP, max((s for both in shares.values() for s in both if s), default=0.0))
    first, last = float(rows[0]["t"]), float(rows[-1]["t"])

    def line(arm: str) -> str:
        return " ".join(
            f"{_x(float(row['t']), first, last)},{_y(share / top)}"
            for row, share in zip(rows, shares[arm], strict=True)
            if share is not None
        )

    requests = tuple(sum(round(row[arm]["requests"]) for row in rows) for arm in ("old", "new"))
    failed = tuple(sum(round(row[arm]["bad"]) for row in rows) for arm in ("old", "new"))
    words = (
        f"{service}, watched from {first:.0f} s to {last:.0f} s: the old version failed "
        f"{failed[0]:,} of {requests[0]:,} requests, the new one {failed[1]:,} of {requests[1]:,}"
    )
    return Chart(
        service, line("old"), line("new"), top, words,
        (requests[0], requests[1]), (failed[0], failed[1]),
    )  # fmt: skip


def _share(arm: dict[str, Any]) -> float | None:
    return arm["bad"] / arm["requests"] if arm["requests"] else None


def _x(t: float, first: float, last: float) -> float:
    return round(_EDGE + (t - first) / ((last - first) or 1.0) * (WIDTH - 2 * _EDGE), 1)


def _y(part: float) -> float:
    return round(HEIGHT - _EDGE - part * (HEIGHT - 2 * _EDGE), 1)
