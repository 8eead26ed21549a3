"""The nouns of mutation: mutant, equivalent mutant, verdict, score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small fault in a module: a minimal edit of its text that keeps its line numbers.

    ``line`` (1-based) is where the edit begins; ``first`` and ``last`` bound the statement
    (of a compound statement: its header) that holds it, so a test runs the mutant when it
    runs one of these lines. ``before`` and ``after`` show the edit; ``source`` is the whole
    mutated text.
    """

    line: int
    operator: str
    before: str
    after: str
    source: str = field(repr=False)
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A mutant that no test can tell from the original, with the proof in ``reason``."""

    mutant: Mutant
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What the changed lines of one module offer: mutants to try, and those set aside."""

    mutants: tuple[Mutant, ...]
    set_aside: tuple[Equivalent, ...]


class Verdict(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"
    """No test came to an end in many times its usual time: killed."""
    CRASHED = "crashed"
    """The test process died or the module could not be imported: killed."""
    UNCOVERED = "uncovered"
    """No passing test runs its statement: it does not count."""
    UNJUDGED = "unjudged"
    """The time was spent before its turn, or its module could not be exchanged."""


KILLS = frozenset({Verdict.KILLED, Verdict.TIMEOUT, Verdict.CRASHED})


@dataclass(frozen=True, slots=True)
class MutantResult:
    """A mutant of the module at ``path`` and its verdict.

    ``covering`` are the node ids of the passing tests whose own run reaches the statement;
    empty as well where only the import does. ``killers`` are those of them that failed: the
    first one, or with ``matrix`` every one. ``tripped`` has the numbers of the checks that
    failed, for those of the killers that number their checks (:mod:`pytest_aipipe.mutate.checks`).
    """

    path: str
    mutant: Mutant
    verdict: Verdict
    covering: tuple[str, ...] = ()
    killers: tuple[str, ...] = ()
    seconds: float = 0.0
    tripped: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)

    @property
    def counts(self) -> bool:
        """Whether it was tried on at least one test."""
        return self.verdict not in {Verdict.UNCOVERED, Verdict.UNJUDGED}


@dataclass(frozen=True, slots=True)
class MutationScore:
    """The verdicts of one run. ``unstable`` names tests that failed with nothing changed."""

    results: tuple[MutantResult, ...] = ()
    unstable: tuple[str, ...] = ()
    note: str = ""

    @property
    def total(self) -> int:
        """How many mutants were tried on at least one test."""
        return sum(result.counts for result in self.results)

    @property
    def killed(self) -> int:
        """How many of these a test noticed."""
        return sum(result.verdict in KILLS for result in self.results)

    @property
    def survivors(self) -> tuple[MutantResult, ...]:
        """The mutants that every covering test let pass."""
        return tuple(r for r in self.results if r.verdict is Verdict.SURVIVED)

    @property
    def ratio(self) -> float:
        """Killed over total, 1.0 where there was nothing to kill."""
        return self.killed / self.total if self.total else 1.0

    def of_test(self, nodeid: str) -> tuple[int, int]:
        """Total and killed of one test: what its own run reaches, and what it noticed.

        Exact after a run with ``matrix``; otherwise a lower bound for ``killed``, because a
        mutant's trial ends with its first failure.
        """
        mine = [r for r in self.results if nodeid in r.covering and r.counts]
        return len(mine), sum(nodeid in r.killers for r in mine)


Mutants = Mapping[str, Sequence[Mutant]]
"""Mutants by the absolute path of their module."""
