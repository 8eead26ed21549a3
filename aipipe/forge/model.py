"""What a forge can be told, and what comes of telling it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

MARK = "<!-- aipipe: this comment is updated by each run -->"
"""First line of our comment; by it the next run finds the comment again."""


class State(StrEnum):
    """How a run stands, in the words that both forges share."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Status:
    """The mark beside a commit: ``context`` names it, so that a later run replaces it."""

    state: State
    summary: str
    context: str = "aipipe"
    url: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark at lines of the change; ``level`` is ``notice``, ``warning`` or ``failure``."""

    path: str
    start: int
    end: int
    level: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Told:
    """Whether the forge took it; ``why`` is one sentence, empty when it did.

    ``detail`` is the page to look at, where the forge named one.
    """

    done: bool
    why: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A pull or merge request as the forge knows it now.

    ``head`` is the commit it points at, which a forced push may have moved since the run began.
    """

    base: str
    head: str
    title: str
    author: str
    fork: bool
    files: tuple[str, ...] = ()


class Forge(Protocol):
    """One pull or merge request, or one commit, on one forge. Never raises for an outage."""

    comment_limit: int

    def request(self) -> Request | Told:
        """Read the pull or merge request, or say why it cannot be read."""

    def comment(self, body: str) -> Told:
        """Write the one comment of ours, or replace what it said."""

    def status(self, status: Status) -> Told:
        """Mark the commit."""

    def annotate(self, status: Status, annotations: Sequence[Annotation]) -> Told:
        """Put remarks beside the lines of the change, as far as the forge has that."""
