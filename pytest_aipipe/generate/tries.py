"""The try that came nearest to each gap, for an engine that comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.generate.model import Candidate, Gap, Outcome

Try = tuple["Candidate", "Outcome"]


class Tries:
    """Keeps one try a gap: the one whose last line before the open ones is the nearest."""

    def __init__(self) -> None:
        self._best: dict[tuple[str, str], tuple[int, Try]] = {}

    def note(self, gap: Gap, candidate: Candidate, outcome: Outcome) -> None:
        """Keep ``candidate`` where it came nearer than all before it."""
        ran = outcome.lines.get(gap.path, frozenset())
        wanted = sorted(gap.lines | {start for start, _ in gap.branches})
        if not ran or not wanted:
            return
        before = [line for line in ran if line <= wanted[0]]
        distance = wanted[0] - max(before, default=0)
        key = (gap.path, gap.symbol)
        if key not in self._best or distance < self._best[key][0]:
            self._best[key] = (distance, (candidate, outcome))

    def of(self, gap: Gap) -> Sequence[Try]:
        """Return the nearest try, as a list of one, or of none."""
        found = self._best.get((gap.path, gap.symbol))
        return [found[1]] if found else []
