"""What the journal holds: releases, and the entries of their moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aipipe_deploy.release.moves import Move
    from aipipe_deploy.targets.unit import Unit


class State(StrEnum):
    """Where a release stands."""

    RUNNING = "running"
    HELD = "held"
    """The watch gave no answer and the configuration says to wait for a person."""
    DONE = "done"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"
    FROZEN = "frozen"
    """It is past a migration that cannot be undone: it can only go on."""

    @property
    def is_open(self) -> bool:
        """It waits for somebody to go on with it."""
        return self not in (State.DONE, State.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Entry:
    """One move of a release; ``back`` marks those of its rollback."""

    seq: int
    back: bool
    move: Move
    state: str
    """``planned``, ``begun`` or ``done``."""
    note: str = ""
    at: float | None = None
    """When it got this state (seconds since 1970)."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release as it was planned, and what became of it."""

    id: int
    strategy: str
    reason: str
    state: State
    started: float
    ended: float | None
    previous: int | None
    outcome: str
    units: dict[str, Unit] = field(default_factory=dict)
    """What serves once it is done: every service's unit, changed or not."""
    before: dict[str, Unit] = field(default_factory=dict)
    """What served before."""
    details: dict[str, Any] = field(default_factory=dict)
    """Risk, kinds of change and the like, for those who learn from history."""

    @property
    def changed(self) -> list[str]:
        """The services that it brings a new unit of."""
        return [n for n, unit in self.units.items() if unit.release == self.id]
