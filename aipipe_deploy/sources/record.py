"""What the recorder kept of the version that serves, from before a release touched anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from aipipe_deploy.judge.dispersion import Run
from aipipe_deploy.proxy.recorder import ROW_SECONDS, rows_in

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from aipipe_deploy.targets.unit import Unit

OLDEST = 6 * 3600.0
"""Seconds before the release beyond which a row says nothing of today."""


def runs_before(record: Path, unit: Unit, started: float) -> list[Run]:
    """Return the seconds that ``unit`` served before ``started`` (seconds since 1970).

    Rows that cannot be read are passed over, and so are those whose date lies after the start,
    which a clock that jumped may give them.
    """
    addresses = {f"{member.address}:{member.port}" for member in unit.members}
    runs = []
    for row in rows_in(record):
        try:
            run = _run(row, unit.service, addresses, started)
        except (TypeError, ValueError, AttributeError, KeyError, OverflowError):
            continue
        if run is not None:
            runs.append(run)
    return runs


def _run(
    row: dict[str, Any], service: str, addresses: Collection[str], started: float
) -> Run | None:
    seconds = min(int(row["seconds"]), ROW_SECONDS, math.floor(started - float(row["at"])))
    if seconds <= 0 or started - float(row["at"]) > OLDEST:
        return None
    bad: dict[int, float] = {}
    found = False
    for address, kept in row["servers"].get(service, {}).items():
        if address not in addresses:
            continue
        found = True
        for second, count in kept["bad"].items():
            if not (math.isfinite(count) and count >= 0):
                raise ValueError("no count")
            if 0 <= int(second) < seconds:
                bad[int(second)] = bad.get(int(second), 0.0) + count
    return Run(seconds, bad) if found else None
