"""The way back: each move's inverse, traffic first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_deploy.proxy.slots import FULL
from aipipe_deploy.release.moves import Move, on_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_deploy.journal.model import Entry, Release

_ORDER = ("start", "ready", "join", "shift", "drain", "leave", "remove")


def way_back(release: Release, entries: Sequence[Entry]) -> list[Move]:
    """Return the moves that undo what was begun of ``release``.

    The inverses of the moves in reverse would shift traffic back step by step; here all shifts
    are one, and it is the first move unless the old version has been stopped already.
    """
    begun = [e.move for e in entries if not e.back and e.state != "planned"]
    moves: list[Move] = []
    for service in sorted({m.params["service"] for m in begun if m.kind in ("stop", "leave")}):
        old = release.before[service]
        moves.append(on_unit("start", old))
        moves.append(on_unit("ready", old))
        if old.slots:
            moves.append(on_unit("join", old))
    moves += _shift_back(release, begun)
    for move in reversed(begun):
        moves += _inverse(move)
    return sorted(moves, key=lambda move: _ORDER.index(move.kind))


def _shift_back(release: Release, begun: Sequence[Move]) -> list[Move]:
    """One move that gives every service its old weights."""
    services = []
    for move in begun:
        if move.kind == "shift":
            services += [backend for backend, _, _ in move.params["weights"]]
        elif move.kind in ("leave", "stop"):
            services.append(move.params["service"])
    weights: list[list[object]] = []
    for name in dict.fromkeys(services):
        old, new = release.before.get(name), release.units.get(name)
        weights += [[name, slot, FULL] for slot in (old.slots if old else ())]
        if new and new.release == release.id:
            weights += [[name, slot, 0] for slot in new.slots]
    return [Move("shift", {"share": 0.0, "weights": weights})] if weights else []


def _inverse(move: Move) -> list[Move]:
    if move.kind == "start":
        return [Move("remove", move.params)]
    if move.kind == "join":
        return [Move("drain", move.params), Move("leave", move.params)]
    return []


def bars(entries: Sequence[Entry]) -> list[Move]:
    """Return the jobs that may have run and cannot be undone."""
    return [
        entry.move
        for entry in entries
        if not entry.back
        and entry.state != "planned"
        and entry.move.kind == "job"
        and entry.move.params["job"]["irreversible"]
    ]
