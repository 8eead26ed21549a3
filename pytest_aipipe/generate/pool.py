"""Candidates that ran changed lines and were not needed to reach them: material for strength."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from pytest_aipipe.assertions.settle import body_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_aipipe.generate.model import Candidate, Gap, Outcome

PER_PATH = 12
MOST = 600

Path = frozenset[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Spare:
    """A candidate with the gap and the engine that it came from."""

    candidate: Candidate
    gap: Gap
    engine: str
    path: Path
    size: int


class Pool:
    """Keeps some candidates for each path through the changed lines, the first that came."""

    def __init__(
        self, added: Mapping[str, frozenset[int]], is_raise: Callable[[str, int], bool]
    ) -> None:
        self._added = added
        self._is_raise = is_raise
        self._by_path: dict[Path, list[Spare]] = defaultdict(list)
        self._seen: set[str] = set()

    def offer(self, candidate: Candidate, outcome: Outcome, gap: Gap, engine: str) -> bool:
        """Keep ``candidate`` where it may become a test; return whether it was kept."""
        if len(self._seen) >= MOST or candidate.function in self._seen or is_clone(candidate):
            return False
        raised = outcome.status == "raised"
        if raised and not self._is_raise(*(outcome.raised_at or ("", 0))):
            return False  # junk that the code does not guard against shows nothing
        if not raised and outcome.status not in {"passed", "failed"}:
            return False
        path = self._path(outcome)
        if not path or len(self._by_path[path]) >= PER_PATH:
            return False
        self._seen.add(candidate.function)
        self._by_path[path].append(Spare(candidate, gap, engine, path, body_size(candidate)))
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
        """Return candidates that run one of ``lines``: of every path one before a second."""
        wanted = {(path, line) for path, found in lines.items() for line in found}
        groups = [
            sorted(found, key=lambda one: (one.candidate.mocked, one.size))
            for path, found in self._by_path.items()
            if path & wanted
        ]
        turns = zip_longest(*groups)
        return [one for turn in turns for one in turn if one is not None][:limit]

    def take(self, spare: Spare) -> None:
        """Take a candidate out, as it was tried."""
        self._by_path[spare.path].remove(spare)


def is_clone(candidate: Candidate) -> bool:
    """Whether it is a test of the project as it stands: that one is run anyway."""
    return candidate.technique == "amplify" and bool(candidate.origin) and not candidate.note
