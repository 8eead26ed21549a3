"""What one source has said: which packages it looked at, what it found, what it could not do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aipipe_build.image.packages import Package
    from aipipe_build.scan.match import Match


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a source is not to be relied on. ``rule`` is the finding's slug.

    ``surroundings`` says that it is not the answer that is bad: there was none.
    """

    rule: str
    text: str
    surroundings: bool = False


@dataclass(slots=True)
class Answer:
    """One source's answer. ``missing`` are the ecosystems that it knows nothing of."""

    source: str
    checked: set[Package] = field(default_factory=set)
    found: list[tuple[Package, Match]] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def add(self, package: Package, match: Match) -> None:
        """Note a vulnerability, once."""
        if (package, match) not in self.found:
            self.found.append((package, match))
