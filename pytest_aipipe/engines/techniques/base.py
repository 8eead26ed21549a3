"""What a technique is."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Protocol

from pytest_aipipe.generate.model import Candidate, Outcome

if TYPE_CHECKING:
    from pytest_aipipe.engines.situation import Situation

Proposals = Generator[Sequence[Candidate], Sequence[Outcome], None]


class Technique(Protocol):
    """One way to come up with candidates."""

    name: str

    def propose(self, situation: Situation) -> Proposals:
        """Yield batches; receive their outcomes; end when there is nothing more to offer."""
        ...


def batched(candidates: Sequence[Candidate], size: int = 12) -> Proposals:
    """Yield a known list of candidates in batches, whatever comes back."""
    for start in range(0, len(candidates), size):
        yield candidates[start : start + size]
