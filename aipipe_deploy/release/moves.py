"""The moves that every strategy is made of. A move is data: JSON in the journal.

| kind | params | does | its inverse |
|---|---|---|---|
| prepare | | network, proxy | none: it harms nobody |
| job | service, job | a one-off job, once | none; an irreversible one bars the way back |
| start | service, release, members | containers | remove |
| ready | service, release, members | waits until they answer | none |
| join | service, release, members | addresses into slots, weight 0, HAProxy's own check | leave |
| shift | weights, share | moves traffic, in one line | shift, to what it was before |
| watch | seconds, services: their members so far | judges new beside old | none |
| drain | service, release, members | waits until nothing is being answered | none |
| leave | service, release, members | addresses out of slots | join |
| stop | service, release, members | stops containers, keeps them | start |
| remove | service, release, members | takes containers away | start |
| sweep | keep | takes away what no way back needs any more | none |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aipipe_deploy.targets.unit import Unit

KINDS = (
    "prepare", "job", "start", "ready", "join", "shift", "watch", "drain", "leave", "stop",
    "remove", "sweep",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Move:
    """One move; what it means is in this module's table."""

    kind: str
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return describe(self)


def on_unit(kind: str, unit: Unit, members: list[int] | None = None) -> Move:
    """Return a move about ``unit``, or about some of its members."""
    chosen = list(range(len(unit.members))) if members is None else members
    return Move(kind, {"service": unit.service, "release": unit.release, "members": chosen})


def describe(move: Move) -> str:
    """Return the move in a few words."""
    params = move.params
    if "members" in params:
        unit = f"{params['service']}-r{params['release']}"
        numbers = ",".join(str(index + 1) for index in params["members"])
        return f"{move.kind} {unit} [{numbers}]"
    if move.kind == "shift":
        return f"shift {100 * params['share']:g} % to the new version"
    if move.kind == "watch":
        return f"watch {params['seconds']:g} s"
    if move.kind == "job":
        return f"job {params['job']['name']}"
    return move.kind
