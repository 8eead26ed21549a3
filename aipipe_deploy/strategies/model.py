"""What a strategy is: steps in their order, and what one round of them is about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """What a step does to every service of its round."""

    JOBS = "jobs"
    START = "start"
    READY = "ready"
    JOIN = "join"
    SHIFT = "shift"
    WATCH = "watch"


class Per(StrEnum):
    """What one round of the steps is about."""

    RELEASE = "release"
    """All services at once: they change together."""
    REPLICA = "replica"
    """One container of one service after the other."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    ``to`` is for a shift: ``all``, ``control`` (all but the control arm), ``canary`` (the
    configured steps, each with the watch that follows) or ``replica`` (the part of the
    containers that are new by now). ``window`` is for a watch: ``whole`` or ``step``.
    """

    act: Act
    to: str = ""
    window: str = ""


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to roll out; ``after`` follows once all rounds are over."""

    name: str
    about: str
    per: Per
    steps: tuple[Step, ...]
    after: tuple[Step, ...] = ()
