"""What the watch saw, second by second: kept for the report, bounded however long it lasts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aipipe_deploy.judge import Arm

FINEST = 1.0
"""Seconds that a row stands for at first."""
MOST = 240
"""Rows of a service; where there would be more, two neighbours become one."""


@dataclass
class Row:
    """Counts of both versions in the ``seconds`` that end at ``at`` (seconds since 1970)."""

    service: str
    at: float
    seconds: float
    old: list[float]
    new: list[float]

    def more(self, at: float, old: Arm, new: Arm) -> None:
        """Take a tick that ends at ``at`` into this row."""
        self.seconds += at - self.at
        self.at = at
        for mine, arm in ((self.old, old), (self.new, new)):
            mine[0] += arm.requests
            mine[1] += arm.bad

    def joined(self, later: Row) -> Row:
        """Return this row and its neighbour as one."""
        return Row(
            self.service,
            later.at,
            self.seconds + later.seconds,
            [a + b for a, b in zip(self.old, later.old, strict=True)],
            [a + b for a, b in zip(self.new, later.new, strict=True)],
        )

    def as_json(self, started: float) -> dict[str, Any]:
        """Return the row as the deploy document has it; times count from ``started``."""
        return {
            "service": self.service,
            "t": round(self.at - started, 2),
            "seconds": round(self.seconds, 2),
            "old": {"requests": round(self.old[0]), "bad": round(self.old[1])},
            "new": {"requests": round(self.new[0]), "bad": round(self.new[1])},
        }


@dataclass
class Samples:
    """The rows of all watches of a release, by service."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    _finest: dict[str, float] = field(default_factory=dict)

    def begin(self, service: str, at: float) -> None:
        """Begin a watch of ``service``: what was before it is not counted in."""
        self.rows.setdefault(service, []).append(Row(service, at, 0.0, [0, 0], [0, 0]))

    def add(self, service: str, at: float, old: Arm, new: Arm) -> None:
        """Take one tick."""
        rows = self.rows[service]
        finest = self._finest.setdefault(service, FINEST)
        if rows[-1].seconds >= finest:
            rows.append(Row(service, rows[-1].at, 0.0, [0, 0], [0, 0]))
        rows[-1].more(at, old, new)
        if len(rows) > MOST:
            self.rows[service] = _halved(rows)
            self._finest[service] = 2 * finest

    def as_json(self, started: float) -> list[dict[str, Any]]:
        """Return every row that lasted, in the order of time."""
        found = [row for rows in self.rows.values() for row in rows if row.seconds > 0]
        return [row.as_json(started) for row in sorted(found, key=lambda row: row.at)]


def _halved(rows: list[Row]) -> list[Row]:
    pairs = zip(rows[::2], rows[1::2], strict=False)
    rest = rows[-1:] if len(rows) % 2 else []
    return [row.joined(later) for row, later in pairs] + rest
