"""The rows of a walk as columns, and the one way in which they are split: by time.

What keeps later knowledge out: a commit is measured before anything later is read; its label
asks whether a fix came within ``HORIZON``, so that old and new commits are asked the same; and
whoever fits at a moment sees only commits whose horizon had passed by then, with the fixes
that had come by then. A test part begins at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from aipipe.past.walk import Row

YEAR = 365 * 86_400.0
HORIZON = YEAR
"""A change needs a fix when one comes within a year; most faults that are found are by then."""
EARLY = 90 * 86_400.0
"""Time in which a good part of the faults shows, for what cannot wait for a year."""
WINDOW = 8 * YEAR
"""How far back fitting looks: a project of ten years ago was another one."""
HELD_OUT = 0.3


@dataclass(frozen=True, slots=True)
class Table:
    """Measured commits in the order of time; ``found`` is infinite where no fix came."""

    names: tuple[str, ...]
    times: NDArray[np.float64]
    found: NDArray[np.float64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def labels(self) -> NDArray[np.bool_]:
        """Whether a fix came within the horizon."""
        return np.asarray(self.found - self.times <= HORIZON)

    def column(self, name: str) -> NDArray[np.float64]:
        """Return the values of one measure."""
        return np.asarray(self.values[:, self.names.index(name)])

    def only(self, chosen: NDArray[np.bool_]) -> Table:
        """Return the rows for which ``chosen`` holds."""
        return Table(self.names, self.times[chosen], self.found[chosen], self.values[chosen])

    def ripe(self, now: float) -> Table:
        """Return the rows whose label was known at ``now``, within the window."""
        return self.only((self.times <= now - HORIZON) & (self.times > now - HORIZON - WINDOW))

    def fresh(self, now: float) -> Table:
        """Return the rows of the last horizon that had ``EARLY`` time to be found faulty.

        Of their fixes only those that had come by ``now`` are in it.
        """
        chosen = (self.times > now - HORIZON) & (self.times <= now - EARLY)
        found = np.where(self.found <= now, self.found, np.inf)
        return Table(self.names, self.times, found, self.values).only(chosen)

    def between(self, start: float, end: float) -> Table:
        """Return the rows from ``start`` on and before ``end``."""
        return self.only((self.times >= start) & (self.times < end))


def table_of(rows: Iterable[Row], names: Sequence[str] | None = None) -> Table:
    """Return the rows as a table; ``names`` chooses the measures and their order."""
    ordered = sorted(rows, key=lambda row: (row.time, row.number))
    columns = tuple(names if names is not None else ordered[0].measures if ordered else ())
    values = [[row.measures.get(name, 0.0) for name in columns] for row in ordered]
    return Table(
        columns,
        np.array([row.time for row in ordered], dtype=np.float64),
        np.array([np.inf if row.found is None else row.found for row in ordered]),
        np.array(values, dtype=np.float64).reshape(len(ordered), len(columns)),
    )


@dataclass(frozen=True, slots=True)
class Split:
    """At ``moment``, ``past`` may be learned from and ``fresh`` looked at; ``later`` is judged."""

    past: Table
    fresh: Table
    later: Table
    moment: float


def split(table: Table, now: float, held_out: float = HELD_OUT) -> Split:
    """Split by time: the newest part of what is ripe at ``now`` is held out."""
    judged = table.only(table.times <= now - HORIZON)
    if not len(judged):
        return Split(judged, judged, judged, now)
    moment = float(judged.times[int(len(judged) * (1 - held_out))])
    later = judged.between(moment, np.inf)
    return Split(table.ripe(moment), table.fresh(moment), later, moment)
