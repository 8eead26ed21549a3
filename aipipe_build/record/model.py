"""A recorded state: the steps of a build that succeeded, and what they were made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aipipe_build.keys.model import BaseImage


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step as it was built.

    ``parts`` are the named parts of its operation, values of variables hashed. ``parent`` is
    the exact key of what it stood on; ``contents`` are the keys of what it read.
    """

    stage: str
    line: int
    instruction: str
    keyword: str
    exact: str
    open: str
    blind: str
    parent: str
    contents: tuple[str, ...]
    parts: dict[str, Any]
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """One build. ``head`` is the last step's key, ``config`` the image configuration's digest."""

    at: float
    dockerfile: str
    target: str
    head: str
    config: str
    steps: tuple[StepRecord, ...] = ()


@dataclass(slots=True)
class History:
    """All that is on record for one builder."""

    states: list[State] = field(default_factory=list)
    images: dict[str, BaseImage] = field(default_factory=dict)
    merges: bool | None = None
    """Whether the builder keeps ``COPY --link`` apart, None when nobody could tell."""
    _exact: dict[str, StepRecord] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)
    _blind: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for state in self.states:
            self._index(state)

    def add(self, state: State) -> None:
        """Put a state on top."""
        self.states.append(state)
        self._index(state)

    def _index(self, state: State) -> None:
        for step in state.steps:
            self._exact[step.exact] = step
            self._open.add(step.open)
            self._blind.add(step.blind)

    def step(self, exact: str) -> StepRecord | None:
        """Return the newest step with this key."""
        return self._exact.get(exact)

    def has_open(self, key: str) -> bool:
        """Tell whether a step was built that differs in other stages' results at most."""
        return key in self._open

    def has_blind(self, key: str) -> bool:
        """Tell whether a step was built that differs in them and in base images at most."""
        return key in self._blind
