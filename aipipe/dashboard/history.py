"""Series over time, read from the documents of the runs in ``.aipipe/runs/``.

A broken or foreign folder is passed over; what no run knows is an empty series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aipipe.forge.compose import documents_of
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from pathlib import Path

_Found = list[tuple[str, datetime, dict[str, Any]]]
Measure = Callable[[dict[str, Any]], float | None]


@dataclass(frozen=True, slots=True)
class Point:
    """A run's id, when it ended (UTC), and its value."""

    run: str
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """One figure over time, oldest first; ``unit`` follows each value."""

    title: str
    unit: str
    points: tuple[Point, ...]
    most: float | None = None

    @property
    def latest(self) -> float | None:
        """The newest value."""
        return self.points[-1].value if self.points else None


@dataclass(frozen=True, slots=True)
class History:
    """All series, the tests that were flaky most often, and how many runs there are."""

    series: tuple[Series, ...]
    flaky: tuple[tuple[str, int, str], ...]
    outcomes: tuple[tuple[str, int], ...]
    runs: int
    first: datetime | None = None
    last: datetime | None = None

    @property
    def when(self) -> str:
        """When the first and the last run ended (UTC), in words; empty without a run."""
        if self.first is None or self.last is None:
            return ""
        first, last = (one.strftime("%Y-%m-%d %H:%M") for one in (self.first, self.last))
        return f"{first} UTC" if first == last else f"{first} to {last} UTC"


def history_of(runs: Path) -> History:
    """Return what the folders in ``runs`` say."""
    found = [
        (folder.name, datetime.fromtimestamp(folder.stat().st_mtime, UTC), documents)
        for folder in sorted(runs.iterdir() if runs.is_dir() else [])
        if (documents := _documents(folder)) is not None
    ]
    found = _once(runs, found)
    found.sort(key=lambda one: (one[1], one[0]))
    series = tuple(
        Series(title, unit, tuple(_points(found, measure)), most)
        for title, unit, most, measure in _FIGURES
    )
    return History(
        series,
        tuple(_flaky(found)),
        tuple(_outcomes(found)),
        len(found),
        first=found[0][1] if found else None,
        last=found[-1][1] if found else None,
    )


def _once(runs: Path, found: _Found) -> _Found:
    """Leave out what ``pytest --ai-diff`` kept of a session that a pipeline's run kept as well."""
    of_runs = [one[2].get("tests") for one in found if (runs / one[0] / "run.json").is_file()]
    return [
        one
        for one in found
        if (runs / one[0] / "run.json").is_file() or one[2].get("tests") not in of_runs
    ]


def _documents(folder: Path) -> dict[str, Any] | None:
    if not folder.is_dir():
        return None
    try:
        return documents_of(folder)
    except AipipeError:
        return None


def _points(found: _Found, measure: Measure) -> list[Point]:
    values = ((name, at, measure(documents)) for name, at, documents in found)
    return [Point(name, at, value) for name, at, value in values if value is not None]


def _share(which: str) -> Measure:
    def measure(documents: dict[str, Any]) -> float | None:
        tests = documents.get("tests")
        if not tests or not tests["coverage"]["lines"]["total"]:
            return None
        lines = tests["coverage"]["lines"]
        return float(100.0 * lines[which] / lines["total"])

    return measure


def _of(name: str, measure: Measure) -> Measure:
    return lambda documents: measure(documents[name]) if name in documents else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


_FIGURES: tuple[tuple[str, str, float | None, Measure], ...] = (
    ("Changed lines covered, with the new tests", "%", 100.0, _share("after")),
    ("Changed lines covered by the tests that were there", "%", 100.0, _share("before")),
    ("Behaviour changes", "", None, _of("tests", lambda t: float(len(t["behavior"])))),
    ("Flaky tests", "", None, _of("tests", lambda t: float(len(t["flaky"])))),
    ("Test run", "s", None, _of("tests", lambda t: float(sum(t["timing"].values())))),
    ("Build", "s", None, _of("build", lambda b: _number(b.get("seconds")))),
    ("Saved by not building", "s", None, _of("build", lambda b: _number(b.get("saves_seconds")))),
    ("Release", "s", None, _of("deploy", lambda d: _number(d.get("seconds")))),
    ("Risk", "%", 100.0, _of("risk", lambda r: 100.0 * float(r["risk"]["probability"]))),
    ("Model cost", "USD", None, _of("tests", lambda t: _number(t["llm"]["cost_usd"]))),
)


def _flaky(found: _Found) -> list[tuple[str, int, str]]:
    counts: Counter[str] = Counter()
    causes: dict[str, str] = {}
    for _, _, documents in found:
        for one in documents.get("tests", {}).get("flaky", []):
            counts[one["nodeid"]] += 1
            causes[one["nodeid"]] = one["cause"]
    return [(nodeid, count, causes[nodeid]) for nodeid, count in counts.most_common(20)]


def _outcomes(found: _Found) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for _, _, documents in found:
        state = documents.get("deploy", {}).get("state")
        if state:
            counts[state] += 1
    return counts.most_common()
