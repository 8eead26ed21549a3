"""The nouns of the comparison: place, pair, difference, behaviour change."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe_core.change.model import Hunk
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Candidate


class Announced(StrEnum):
    """Whether something in the change says that this behaviour was to change."""

    INTENDED = "intended"
    UNANNOUNCED = "unannounced"
    UNSURE = "unsure"


class Kind(StrEnum):
    """How base and head differ, the plainest first."""

    ERROR = "error"
    """Another error, an error instead of a result, or the reverse."""
    END = "end"
    """Head does not come to an end in the time that it is given."""
    TYPE = "type"
    VALUE = "value"
    ARGUMENT = "argument"
    """What was passed in is left in another state."""
    WARNING = "warning"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Place:
    """A definition whose code differs, with its changed lines on both sides.

    Where a side has none (a pure addition or removal), its lines are those next to it.
    ``symbol`` is a qualified name or ``<module>``; ``old_symbol`` is its name on the base.
    """

    path: str
    old_path: str
    module: str
    symbol: str
    head_lines: frozenset[int]
    base_lines: frozenset[int]
    hunks: tuple[Hunk, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """One candidate's run on the base and on the head."""

    base: Trialed
    head: Trialed


@dataclass(frozen=True, slots=True)
class Difference:
    """What tells the two runs apart: ``where`` is an expression, or empty for the whole.

    ``weak``: worth little. On the base the call failed by an error that nobody wrote there, as
    a call with a value of a wrong type does; or only private names show the difference.
    """

    kind: Kind
    where: str
    base: str
    head: str
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """A candidate on which the sides differ, before it is made into a test."""

    place: Place
    candidate: Candidate
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class BehaviorChange:
    """A difference that was seen again and again, with a test that states the base's side.

    ``input`` is the smallest that shows it. ``file_name`` is relative to the folder for
    catching tests, ``test`` the file's whole text, ``test_name`` the test in it; it passes
    on the base and fails on head. ``by_model`` marks a verdict that a model gave.
    """

    symbol: str
    path: str
    kind: Kind
    input: str
    base: str
    head: str
    file_name: str
    test_name: str
    test: str
    hunk: Hunk | None = None
    announced: Announced = Announced.UNSURE
    reason: str = ""
    by_model: bool = False
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """What comparing ended with; ``notes`` say what could not be compared and why."""

    changes: Sequence[BehaviorChange] = ()
    notes: Sequence[str] = ()
    tried: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
