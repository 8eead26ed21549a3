"""What the doctor found about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands."""

    GOOD = "good"
    OPTIONAL = "optional"
    """Not here, and only some work needs it."""
    BAD = "bad"
    """Not right, and nothing works without it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report: ``advice`` says what to do where it is not good."""

    name: str
    state: State
    text: str
    advice: str = ""
