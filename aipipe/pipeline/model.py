"""A pipeline as values, checked and with every matrix unfolded.

Durations are in seconds. A command is an argv; text of the file has become one for
``/bin/sh -ec``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = 3600.0
GRACE = 5.0
EVERY = 10.0
DEFAULT_NAME = "pipeline"


@dataclass(frozen=True, slots=True)
class When:
    """What has to hold for a stage to run; an empty field asks nothing."""

    risk: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    build: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Monitor:
    """A watch after the stage: ``command`` every so often, for so long.

    Without a command the watch is the deploy agent's own, and only its length is said.
    """

    seconds: float
    command: tuple[str, ...] = ()
    every: float = EVERY
    failures: int = 1


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What follows when the watch finds something.

    ``action`` is ``stop``, ``continue``, ``rollback`` (the deploy agent's) or ``command``.
    """

    action: str = "stop"
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing to run. ``of`` is its name in the file, ``name`` has the matrix's values too."""

    name: str
    of: str
    line: int
    command: tuple[str, ...] = ()
    uses: str = ""
    arguments: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    directory: str = ""
    timeout: float = HOUR
    grace: float = GRACE
    when: When = field(default_factory=When)
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    cache: bool = True
    on_failure: tuple[str, ...] = ()
    strategy: str = "auto"
    monitor: Monitor | None = None
    on_anomaly: Anomaly = field(default_factory=Anomaly)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages in an order in which each one comes after all that it waits for."""

    name: str
    stages: tuple[Stage, ...]

    def stage(self, name: str) -> Stage:
        """Return the stage with that full name."""
        return next(stage for stage in self.stages if stage.name == name)
