"""Candidates that ran changed lines and were not needed to reach them: material for strength."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.settle import body_size, is_accident

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_aipipe.generate.model import Candidate, Comparison, Gap, Outcome

PER_PATH = 12
MOST = 600
NEW, UNKNOWN, OLD = range(3)

Path = frozenset[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Spare:
    """A candidate with the gap and the engine that it came from, and what its run compared.

    ``aimed`` is set for one that was made for a fault that survives; ``rank`` is low for one
    whose run showed what no other's did.
    """

    candidate: Candidate
    gap: Gap
    engine: str
    path: Path
    size: int
    comparisons: tuple[Comparison, ...] = ()
    aimed: bool = False
    rank: int = 0

    @property
    def is_promising(self) -> bool:
        """Whether it was made for a fault and showed what no other candidate did."""
        return self.aimed and self.rank != OLD


class Pool:
    """Keeps some candidates for each path through the changed lines, the first that came."""

    def __init__(
        self, added: Mapping[str, frozenset[int]], is_raise: Callable[[str, int], bool]
    ) -> None:
        self._added = added
        self._is_raise = is_raise
        self._by_path: dict[Path, list[Spare]] = defaultdict(list)
        self._seen: set[str] = set()
        self._told: set[str] = set()

    def offer(
        self,
        candidate: Candidate,
        outcome: Outcome,
        gap: Gap,
        engine: str,
        *,
        told: str | None = None,
        aimed: bool = False,
    ) -> bool:
        """Keep ``candidate`` where it may become a test; return whether it was kept.

        ``told`` is what its run showed, where that was looked at.
        """
        if len(self._seen) >= MOST or candidate.function in self._seen or is_clone(candidate):
            return False
        if outcome.status not in {"passed", "failed", "raised"}:
            return False
        if is_accident(outcome, self._is_raise):
            return False  # junk that the code does not guard against shows nothing
        path = self._path(outcome)
        new = bool(told) and told not in self._told
        if not path or (len(self._by_path[path]) >= PER_PATH and not aimed and not new):
            return False
        self._seen.add(candidate.function)
        rank = (NEW if new else UNKNOWN) if told is None or new else OLD
        self._told.add(told or "")
        spare = Spare(
            candidate, gap, engine, path, body_size(candidate), outcome.comparisons, aimed, rank
        )
        self._by_path[path].append(spare)
        return True

    def _path(self, outcome: Outcome) -> Path:
        lines = {(p, n) for p, ran in outcome.lines.items() for n in ran & self._lines(p)}
        if not lines:
            return frozenset()
        arcs = {
            (p, arc) for p, ran in outcome.arcs.items() for arc in ran if arc[0] in self._lines(p)
        }
        return frozenset(lines | arcs)

    def _lines(self, path: str) -> frozenset[int]:
        return self._added.get(path, frozenset())

    def through(self, lines: Mapping[str, frozenset[int]], limit: int) -> list[Spare]:
        """Return candidates that run one of ``lines``: of every path one before a second.

        Up to half of them are those that were made for it and showed what no other did.
        """
        wanted = {(path, line) for path, found in lines.items() for line in found}
        groups = [found for path, found in self._by_path.items() if path & wanted]
        aimed = _in_turn([[one for one in found if one.is_promising] for found in groups])
        others = _in_turn([[one for one in found if not one.is_promising] for found in groups])
        first = aimed[: max(limit // 2, limit - len(others))]
        return [*first, *others[: limit - len(first)]]

    def take(self, spare: Spare) -> None:
        """Take a candidate out, as it was tried."""
        self._by_path[spare.path].remove(spare)


def _in_turn(groups: Sequence[Sequence[Spare]]) -> list[Spare]:
    """Return the first of every group, then the second of each; the plainest first.

    One that may show nothing new comes as late as one that stands a place further back.
    """
    ranked = [
        sorted(found, key=lambda one: (one.candidate.mocked, one.rank, one.size))
        for found in groups
    ]
    turns = [
        (turn + one.rank, one)
        for turn, ones in enumerate(zip_longest(*ranked))
        for one in ones
        if one is not None
    ]
    return [one for _, one in sorted(turns, key=lambda pair: pair[0])]


def is_clone(candidate: Candidate) -> bool:
    """Whether it is a test of the project as it stands: that one is run anyway."""
    return candidate.technique == "amplify" and bool(candidate.origin) and not candidate.note
