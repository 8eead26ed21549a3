"""A flaky test as found: how often, why, with which evidence, and how to provoke it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_aipipe.flaky.causes import WORDS, Cause
from pytest_aipipe.flaky.interval import words as rate_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_aipipe.flaky.sweeps import Setting
    from pytest_aipipe.flaky.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Pollution:
    """``before`` are the fewest tests that, run first, turn the verdict of ``victim``.

    ``keys`` name the state that, put back in between, turns it back; empty where none does.
    ``brittle``: the victim fails alone and needs the others. ``among`` is the longest run of
    tests after which its verdict turned: who else pollutes it is in there.
    """

    victim: str
    before: tuple[str, ...]
    keys: tuple[str, ...] = ()
    changed: tuple[Mapping[str, Any], ...] = ()
    brittle: bool = False
    among: tuple[str, ...] = ()


@dataclass(slots=True)
class Finding:
    """One flaky test. ``natural`` counts runs that nothing was done to, as (failures, runs)."""

    nodeid: str
    cause: Cause
    evidence: list[str] = field(default_factory=list)
    natural: tuple[int, int] = (0, 0)
    provoked: tuple[int, int] = (3, 3)  # with a setting that turns it: (turned, runs)
    runs: int = 0
    failures: int = 0
    settings: list[Setting] = field(default_factory=list)  # that turn it, the cause's own first
    failure: Verdict | None = None
    pollution: Pollution | None = None
    fix: str = ""
    diff: str = ""
    touched_paths: list[str] = field(default_factory=list)  # that the mend changes
    held: int = 0  # runs through which the mended test held
    refused: list[str] = field(default_factory=list)  # mends that did not do, and why

    def document(self) -> dict[str, Any]:
        """Return the row of the JSON report."""
        return {
            "nodeid": self.nodeid,
            "runs": self.runs,
            "failures": self.failures,
            "cause": str(self.cause),
            "evidence": self.told,
            "fix": f"{self.fix}\n{self.diff}" if self.diff else self.fix,
        }

    @property
    def mended(self) -> bool:
        """Whether a mend was proven; a quarantine is none."""
        return bool(self.fix) and not self.fix.startswith("quarantine")

    @property
    def told(self) -> str:
        """All evidence as one text."""
        failures, runs = self.natural
        rate = [f"as it is it fails in {rate_words(failures, runs)}"] if runs else []
        return "; ".join([WORDS[self.cause], *self.evidence, *rate])
