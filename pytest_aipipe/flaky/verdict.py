"""What became of one test in one trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BAD = ("failed", "error", "timeout", "crashed")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``touched`` is what the test used; ``types`` the chain of the error's types."""

    nodeid: str
    outcome: str
    detail: str = ""
    where: str = ""
    when: str = "call"
    types: tuple[str, ...] = ()
    mro: tuple[str, ...] = ()
    compare: Mapping[str, Any] = field(default_factory=dict)
    touched: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether the test did not hold. A skipped test held."""
        return self.outcome in BAD

    @classmethod
    def of_wire(cls, wire: Mapping[str, Any]) -> Verdict:
        """Return what the child sent."""
        return cls(
            nodeid=wire["id"],
            outcome=wire["outcome"],
            detail=wire.get("detail", ""),
            where=wire.get("where", ""),
            when=wire.get("when", "call"),
            types=tuple(wire.get("types", ())),
            mro=tuple(wire.get("mro", ())),
            compare=wire.get("compare") or {},
            touched=wire.get("touched", {}),
            seconds=wire.get("seconds", 0.0),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial's verdicts in their order, and what changed where it was asked for."""

    verdicts: tuple[Verdict, ...]
    changed: tuple[Mapping[str, Any], ...] = ()
    trouble: str = ""

    def of(self, nodeid: str) -> Verdict | None:
        """Return the last verdict of a test."""
        found = [one for one in self.verdicts if one.nodeid == nodeid]
        return found[-1] if found else None
