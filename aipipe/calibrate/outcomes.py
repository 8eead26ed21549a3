"""What became of our own releases, as labels: they weigh more than a guess from messages.

Read are the runs whose folder has a ``risk.json`` and a ``deploy.json``. A release that was
rolled back, or whose watch failed, makes its head's commit faulty at that time; one that went
through makes it sound, unless a fix came later all the same.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aipipe.run.folder import all_runs
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from pathlib import Path

    from aipipe.calibrate.table import Table
    from aipipe.past.walk import Walk

COPIES = 5
"""Rows that one outcome counts for: the system was seen to fail or to hold, not guessed."""
BAD = frozenset({"rolled-back", "rolled back", "failed", "fail", "aborted"})
GOOD = frozenset({"done", "live", "promoted", "completed", "succeeded", "passed", "pass"})


@dataclass(frozen=True, slots=True)
class Release:
    """A commit that was released, when, and whether it held."""

    head: str
    time: float
    held: bool


def outcomes_of(home: Path) -> list[Release]:
    """Return the releases that the kept runs tell of."""
    found = []
    for run in all_runs(home):
        with suppress(OSError, ValueError, AipipeError, KeyError, TypeError):
            risk = json.loads((run.path / "risk.json").read_bytes())
            path = run.path / "deploy.json"
            held = _held(json.loads(path.read_bytes()))
            if held is not None:
                found.append(Release(str(risk["head"]), path.stat().st_mtime, held))
    return found


def _held(document: dict[str, Any]) -> bool | None:
    """Return whether the release held; None where the document does not say."""
    for key in ("outcome", "state", "status", "verdict"):
        word = str(document.get(key, "")).lower()
        if word in BAD:
            return False
        if word in GOOD:
            return True
    return None


def with_outcomes(table: Table, walk: Walk, releases: list[Release]) -> tuple[Table, int]:
    """Return what is fitted to with each release added ``COPIES`` times, and how many they are.

    A release's outcome is known at once: its rows stand a horizon earlier than they are, as
    everything stands whose label is known.
    """
    import numpy as np

    from aipipe.calibrate.table import HORIZON, Table, table_of

    rows = []
    count = 0
    for release in releases:
        row = walk.rows.get(walk.numbers.get(release.head, -1))
        if row is None:
            continue
        count += 1
        time = release.time - HORIZON
        found = None if release.held and row.found is None else time
        rows += [replace(row, time=time, found=found)] * COPIES
    if not rows:
        return table, 0
    more = table_of(rows, table.names)
    times = np.concatenate([table.times, more.times])
    order = np.argsort(times, kind="stable")
    found_at = np.concatenate([table.found, more.found])
    values = np.concatenate([table.values, more.values])
    return Table(table.names, times[order], found_at[order], values[order]), count
