"""``deploy.json``: a release as it went, for those who read, learn and draw afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_deploy.journal.model import Entry, Release
    from aipipe_deploy.release.runner import Ending
    from aipipe_deploy.release.samples import Samples

SCHEMA = 1
UNCHANGED: dict[str, Any] = {"schema": SCHEMA, "state": "unchanged"}
"""The whole document where what serves is what the configuration says."""


def document(
    release: Release, entries: Sequence[Entry], samples: Samples, ending: Ending
) -> dict[str, Any]:
    """Return the contract's JSON; its schema is ``deploy.schema.json``.

    Times of moves and metrics are seconds since the release began; a move's is its end.
    """
    began = release.started
    over = release.ended if release.ended is not None else time.time()
    return {
        "schema": SCHEMA,
        "release": release.id,
        "state": ending.state.value,
        "text": ending.text,
        "strategy": release.strategy,
        "reason": release.reason,
        "risk": str(release.details.get("risk", "")),
        "head": str(release.details.get("head", "")),
        "previous": release.previous,
        "started": round(began, 3),
        "seconds": max(0.0, round(over - began, 2)),
        "services": {name: release.units[name].image for name in release.changed},
        "moves": [_move(entry, began) for entry in entries],
        "metrics": samples.as_json(began),
    }


def _move(entry: Entry, began: float) -> dict[str, Any]:
    made = entry.state != "planned" and entry.at is not None
    return {
        "move": str(entry.move),
        "kind": entry.move.kind,
        "back": entry.back,
        "state": entry.state,
        "at": round(entry.at - began, 2) if made and entry.at is not None else None,
        "note": entry.note,
    }
