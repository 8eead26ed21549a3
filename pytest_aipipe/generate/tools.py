"""What making tests stronger works with: processes, engines, pool, gate and clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pytest_aipipe.generate.kept import Fault, Kept, Ran

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_aipipe.assertions.settle import Settled
    from pytest_aipipe.explore.explorer import Explorer
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Candidate, Engine, Gap
    from pytest_aipipe.generate.pool import Pool
    from pytest_aipipe.generate.proposals import MakeScene
    from pytest_aipipe.generate.request import Request
    from pytest_aipipe.generate.strength import Faults
    from pytest_aipipe.mutate.model import MutationScore


class Judge(Protocol):
    """Tries faults on test files that are not on the disk."""

    def __call__(self, files: dict[str, str], faults: Faults) -> MutationScore:
        """Return the verdicts of every fault on every test."""
        ...


Gate = Callable[["Settled", "Gap", str, frozenset[Fault]], Kept | None]
"""Admits a test alone, or returns None."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What sharpening works with."""

    request: Request
    explorer: Explorer
    engines: Sequence[Engine]
    scene: MakeScene
    pool: Pool
    sources: Mapping[Path, str]
    """The test files' texts."""
    judge: Judge
    gate: Gate
    left: Callable[[], float]
    extend: Callable[[], bool]
    """Gives more time, where the budget has it; returns whether it had."""
    bound: Callable[[float], None]
    """Takes away what is left beyond so many seconds."""
    faults: Callable[[Sequence[Kept], Ran], Faults]
    """Makes the faults of the changed lines that tests run, and of further such lines."""
    count: Callable[[str, Sequence[Candidate], float], None]
    """Told of each batch that was tried: engine, candidates, seconds."""

    def run(self, engine: str, batch: Sequence[Candidate]) -> Sequence[Trialed]:
        """Try candidates, look at what their values were worth, and count them."""
        started = time.monotonic()
        trials = self.explorer.try_all(batch, look=True)
        self.count(engine, batch, time.monotonic() - started)
        return trials
