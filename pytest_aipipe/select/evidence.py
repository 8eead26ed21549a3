"""Which recorded tests meet a demand: bitmaps of what they ran against the points asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_aipipe.select.sink import OUTSIDE
from pytest_aipipe.select.watch import MODULE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_aipipe.select.demand import Clause
    from pytest_aipipe.select.index import Key
    from pytest_aipipe.select.parts import Points

    Rows = Callable[[str, str], list[tuple[str, bytes, bytes]]]


@dataclass(slots=True)
class Found:
    """Who meets a clause: ``tests`` with the reason, modules and ``outside`` by file.

    ``close`` is, by test, how much of what changed it ran (0 to 1), and ``wide`` how many
    lines it ran of the files in question: a test of few lines is about these lines.
    """

    tests: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)
    close: dict[str, float] = field(default_factory=dict)
    wide: dict[str, int] = field(default_factory=dict)

    def take(self, more: Found) -> None:
        """Take in what another search found."""
        for mine, theirs in (
            (self.tests, more.tests),
            (self.modules, more.modules),
            (self.outside, more.outside),
        ):
            mine.update((who, why) for who, why in theirs.items() if who not in mine)
        for who, share in more.close.items():
            self.close[who] = max(share, self.close.get(who, 0.0))
            self.wide[who] = self.wide.get(who, 0) + more.wide.get(who, 0)


class Evidence:
    """Asks the map for the rows of each version of a file once."""

    def __init__(self, rows: Rows) -> None:
        self._fetch = rows
        self._rows: dict[Key, list[tuple[str, bytes, bytes]]] = {}

    def meet(self, clauses: Iterable[Clause]) -> Found:
        """Return who meets any of ``clauses``."""
        found = Found()
        for clause in clauses:
            met = self._all(clause)
            for who in met:
                if clause.itself and (who == OUTSIDE or who.startswith(MODULE)):
                    continue
                if who == OUTSIDE:
                    for wanted in clause.wanted[:1]:
                        found.outside.update((path, clause.why) for path, _ in wanted)
                elif who.startswith(MODULE):
                    found.modules.setdefault(who.removeprefix(MODULE), clause.why)
                else:
                    found.tests.setdefault(who, clause.why)
                    found.close[who] = max(found.close.get(who, 0.0), met[who][0])
                    found.wide[who] = found.wide.get(who, 0) + met[who][1]
        return found

    def both(self, one: Key, points: Points, other: Key, more: Points) -> bool:
        """Return whether a test ran some of ``points`` and some of ``more``."""
        some = {who for who, _, _ in self._one(one, points)}
        return any(who in some for who, _, _ in self._one(other, more))

    def of_module(self, module: str) -> Callable[[Key, Points], Points]:
        """Return what tells the points that the import of ``module`` itself ran of some."""
        who = f"{MODULE}{module}"

        def ran(key: Key, points: Points) -> Points:
            lines, entries = frozenset[int](), frozenset[int]()
            for one, mine, entered in self._of(key):
                if one == who:
                    lines |= _among(points[0], mine)
                    entries |= _among(points[1], entered)
            return lines, entries

        return ran

    def ran(self, whole: Mapping[str, str], recorded: Mapping[str, list[str]]) -> dict[str, str]:
        """Return who ran anything of the files ``whole``, with the reason given for the file."""
        return {
            who: why
            for path, why in whole.items()
            for digest in recorded.get(path, ())
            for who, _, _ in self._of((path, digest))
        }

    def ran_any(
        self, paths: Iterable[str], recorded: Mapping[str, list[str]]
    ) -> frozenset[str] | None:
        """Return who ran anything of any of ``paths``, None where nobody's run shows one."""
        every: set[str] = set()
        for path in paths:
            some = self.ran({path: ""}, recorded).keys()
            if not some:
                return None
            every |= some
        return frozenset(every)

    def _of(self, key: Key) -> list[tuple[str, bytes, bytes]]:
        if key not in self._rows:
            self._rows[key] = self._fetch(*key)
        return self._rows[key]

    def _all(self, clause: Clause) -> dict[str, tuple[float, int]]:
        """Return who ran a point of each of the clause's sets: how much, and of how many lines."""
        met: dict[str, tuple[float, int]] | None = None
        for wanted in clause.wanted:
            some: dict[str, tuple[float, int]] = {}
            for key, points in wanted.items():
                for who, share, size in self._one(key, points):
                    old = some.get(who, (0.0, 0))
                    some[who] = max(old[0], share), old[1] + size
            met = some if met is None else {who: met[who] for who in met if who in some}
            if not met:
                return {}
        return met or {}

    def _one(self, key: Key, points: Points | None) -> Iterable[tuple[str, float, int]]:
        if points is None:
            for who, _, _ in self._of(key):
                yield who, 0.0, 0
            return
        lines, entries = _mask(points[0]), _mask(points[1])
        total = len(points[0]) + len(points[1])
        for who, ran, entered in self._of(key):
            seen = int.from_bytes(ran, "little")
            hit = (seen & lines).bit_count()
            hit += (int.from_bytes(entered, "little") & entries).bit_count() if entries else 0
            if hit:
                yield who, hit / total, seen.bit_count()


def _among(numbers: Iterable[int], ran: bytes) -> frozenset[int]:
    mask = int.from_bytes(ran, "little")
    return frozenset(number for number in numbers if mask >> number & 1)


def _mask(numbers: Iterable[int]) -> int:
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask
