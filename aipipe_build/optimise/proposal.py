"""A proposal, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Status(StrEnum):
    """What a proof has shown."""

    PROVEN = "proven"
    """Both were built and hold the same, but for what the proposal itself declares."""
    REFUSED = "refused"
    """Both were built, and they differ."""
    SUGGESTION = "suggestion"
    """It could not be proven, or is nothing that a proof could decide."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What a proposal is meant to change in the image; all else must stay.

    ``config`` are fields of the image's configuration. ``files`` names entries of the list of
    harmless differences. ``packages`` are system packages that may go.
    """

    config: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    probe_imports: bool = False
    """Whether the modules that can be imported are compared as well."""
    own_smoke: bool = False
    """Whether a smoke command that the project itself names must have run."""

    def __or__(self, other: Effects) -> Effects:
        """Return what both together are meant to change."""
        return Effects(
            self.config | other.config,
            self.files | other.files,
            self.packages | other.packages,
            self.probe_imports or other.probe_imports,
            self.own_smoke or other.own_smoke,
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """One rewrite: the whole new text, and a new ``.dockerignore`` where it has one.

    Without ``text`` and ``ignore`` it is advice that no build can prove.
    """

    rule: str
    title: str
    why: str
    line: int = 0
    text: str | None = None
    ignore: str | None = None
    effects: Effects = field(default_factory=Effects)


@dataclass(slots=True)
class Judged:
    """A proposal with its proof."""

    proposal: Proposal
    status: Status
    reason: str = ""
    differences: tuple[str, ...] = ()
    allowed: Mapping[str, int] = field(default_factory=dict)
    """How many differences each entry of the harmless list covers."""
    smoke: str = ""
    size: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the form that ``optimise.json`` has."""
        return {
            "rule": self.proposal.rule,
            "title": self.proposal.title,
            "why": self.proposal.why,
            "line": self.proposal.line,
            "status": str(self.status),
            "reason": self.reason,
            "differences": list(self.differences),
            "allowed": dict(self.allowed),
            "smoke": self.smoke,
            "size": self.size,
        }
