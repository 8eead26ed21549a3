"""The verdict: pass, fail or inconclusive, with its time and its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What the judge says of a release; uncertain is an answer of its own."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, the time of the tick at which it fell (seconds), and why.

    ``wants_probes`` asks the caller to add HTTP probes of its own, because users alone
    bring too little traffic for an answer. ``findings`` are oddities of the data, each
    one sentence; they never cause a rollback.
    """

    outcome: Outcome
    t: float
    reason: str
    wants_probes: bool = False
    findings: tuple[str, ...] = ()
