"""A recorded state: the steps of a build that succeeded, and what they were made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_build.light import field, light

if TYPE_CHECKING:
    from aipipe_build.keys.model import BaseImage


_TEXT = "text:"


@light(frozen=True)
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


@light(frozen=True)
class State:
    """One build. ``head`` is the last step's key, ``config`` the image configuration's digest."""

    at: float
    dockerfile: str
    target: str
    head: str
    config: str
    steps: tuple[StepRecord, ...] = ()
    image: str = ""
    """What the engine calls the image that was made, "" where that was not told."""
    engine: str = ""
    """The engine's own identity, "" where that was not told."""


@light()
class History:
    """All that is on record for one builder."""

    states: list[State] = field(default_factory=list)
    images: dict[str, BaseImage] = field(default_factory=dict)
    merges: bool | None = None
    """Whether the builder keeps ``COPY --link`` apart, None when nobody could tell."""
    _exact: dict[str, StepRecord] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)
    _blind: set[str] = field(default_factory=set)
    _seconds: dict[str, list[float]] = field(default_factory=dict)

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
            if step.seconds is not None:
                for key in (step.exact, _TEXT + step.instruction):
                    self._seconds.setdefault(key, []).append(step.seconds)

    def step(self, exact: str) -> StepRecord | None:
        """Return the newest step with this key."""
        return self._exact.get(exact)

    def seconds(self, exact: str, instruction: str) -> float | None:
        """Return what a step takes when it runs: the median of its own times, else of its text's.

        None where it never ran on record.
        """
        known = self._seconds.get(exact) or self._seconds.get(_TEXT + instruction)
        if not known:
            return None
        middle = len(known) // 2
        # The statistics module alone takes longer to load than a record to read.
        ordered = sorted(known)
        return ordered[middle] if len(known) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

    def of_engine(self, engine: str) -> History:
        """Return what is on record for one engine; what does not say which one counts as its."""
        if not engine:
            return self
        kept = [state for state in self.states if state.engine in ("", engine)]
        return History(kept, self.images, self.merges)

    def image_of(self, head: str, config: str) -> str:
        """Return the newest image with this last step and this configuration, "" for none."""
        for state in reversed(self.states):
            if state.image and state.head == head and state.config == config:
                return state.image
        return ""

    def has_open(self, key: str) -> bool:
        """Tell whether a step was built that differs in other stages' results at most."""
        return key in self._open

    def has_blind(self, key: str) -> bool:
        """Tell whether a step was built that differs in them and in base images at most."""
        return key in self._blind
