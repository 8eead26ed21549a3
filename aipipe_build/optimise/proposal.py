"""A proposal, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_build.image.entry import Entry


class Status(StrEnum):
    """What a proof has shown."""

    PROVEN = "proven"
    """Both were built and hold the same, but for what the proposal itself declares."""
    REFUSED = "refused"
    """Both were built, and they differ."""
    SUGGESTION = "suggestion"
    """It could not be proven, or is nothing that a proof could decide."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Another base image: the files of the one that was, and of the one that is to be."""

    before: Mapping[str, Entry]
    after: Mapping[str, Entry]

    def explains(self, path: str, before: Entry | None, after: Entry | None) -> bool:
        """Tell whether both images have at ``path`` just what their base has there."""
        return _same(before, self.before.get(path)) and _same(after, self.after.get(path))


def _same(one: Entry | None, other: Entry | None) -> bool:
    if one is None or other is None:
        return one is other
    return replace(one, layer=0) == replace(other, layer=0)


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
    swap: Swap | None = None
    """The base image that takes the place of another one."""

    def __or__(self, other: Effects) -> Effects:
        """Return what both together are meant to change."""
        return Effects(
            self.config | other.config,
            self.files | other.files,
            self.packages | other.packages,
            self.probe_imports or other.probe_imports,
            self.own_smoke or other.own_smoke,
            self.swap or other.swap,
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
