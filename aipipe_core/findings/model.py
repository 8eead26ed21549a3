"""What was found, as values. Their text is untrusted: each renderer neutralises it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS = re.compile(r"\d+")


class Level(StrEnum):
    """How much a finding matters."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return (Level.ERROR, Level.WARNING, Level.NOTE).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody should look at.

    ``rule`` is a stable slug. ``path`` is relative to the repository's top, with forward
    slashes; empty where the finding is about no file. ``start`` and ``end`` are 1-based
    lines, ``column`` a 1-based code point. ``anchor`` is what the finding hangs on when
    lines move: the symbol, or the source text.
    """

    rule: str
    level: Level
    message: str
    path: str = ""
    start: int | None = None
    end: int | None = None
    column: int | None = None
    help: str = ""
    anchor: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """64 hex digits that stay the same when only lines (and other numbers) shift."""
        hanging = self.anchor or _DIGITS.sub("#", self.message)
        parts = f"{self.rule}\0{self.path}\0{hanging}"
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def place(self) -> str:
        """``path:start-end``, as far as it is known."""
        if not self.path or self.start is None:
            return self.path
        end = f"-{self.end}" if self.end is not None and self.end > self.start else ""
        return f"{self.path}:{self.start}{end}"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; every row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells under {len(self.columns)} columns")


@dataclass(frozen=True, slots=True)
class Section:
    """A headed part of a report: lines of text, then a table, then source code."""

    title: str
    lines: tuple[str, ...] = ()
    table: Table | None = None
    code: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run has to say. Findings are shown gravest first."""

    title: str
    summary: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    sections: tuple[Section, ...] = ()
    tool_version: str = ""

    def ordered(self) -> list[Finding]:
        """Return the findings gravest first, then by place."""
        return sorted(
            self.findings, key=lambda f: (f.level.rank, f.path, f.start or 0, f.rule, f.message)
        )

    def fingerprints(self) -> list[tuple[Finding, str]]:
        """Return the ordered findings with fingerprints of which no two are equal.

        Where two findings say the same, the later one carries its count as well.
        """
        seen: Counter[str] = Counter()
        pairs = []
        for finding in self.ordered():
            plain = finding.fingerprint
            again = f"{plain}\0{seen[plain]}".encode()
            pairs.append((finding, hashlib.sha256(again).hexdigest() if seen[plain] else plain))
            seen[plain] += 1
        return pairs

    def count(self, level: Level) -> int:
        """Return how many findings have this level."""
        return sum(finding.level is level for finding in self.findings)

    def counts(self) -> str:
        """Return how many findings of each level there are, in words."""
        found = [(self.count(level), level) for level in (Level.ERROR, Level.WARNING, Level.NOTE)]
        return ", ".join(f"{n} {level}{'' if n == 1 else 's'}" for n, level in found if n)
