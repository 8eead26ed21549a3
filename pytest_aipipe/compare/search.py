"""Candidates that may tell base from head: from existing tests, calls, and edits of both.

The search goes round the places and, at each, round its sources, so that no place waits
for another. Edits start from the candidates that took a path through the changed code
that none before them took, on either side.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.compare.altered import altered_branches, altered_literals
from pytest_aipipe.compare.interface import interface_candidates
from pytest_aipipe.compare.looks import bound_names, looks
from pytest_aipipe.compare.places import MODULE
from pytest_aipipe.compare.plain import plain_asserts, with_looks, written_out
from pytest_aipipe.compare.vary import varied
from pytest_aipipe.compare.words import speaks, vocabulary
from pytest_aipipe.engines.analysis.mined import unique
from pytest_aipipe.engines.seeds import Seed, seed_of
from pytest_aipipe.engines.situation import Situation
from pytest_aipipe.engines.source.existing import Taken, rows, take
from pytest_aipipe.engines.source.inherited import whole_file
from pytest_aipipe.engines.source.writer import fingerprint
from pytest_aipipe.engines.techniques.carve import Carve
from pytest_aipipe.engines.techniques.construct import Construct
from pytest_aipipe.engines.techniques.examples import Examples
from pytest_aipipe.engines.techniques.search import pool_of
from pytest_aipipe.engines.techniques.sequences import Sequences
from pytest_aipipe.generate.model import Candidate, Gap, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.compare.model import Pair, Place
    from pytest_aipipe.engines.source.edits import Edit, Pool
    from pytest_aipipe.engines.techniques.base import Technique
    from pytest_aipipe.generate.model import KnownTest, Outcome

BATCH = 16
_TESTS = 24
_ROWS = 4
_SEEDS = 40
_NEAR = 48
_NO_SEED = frozenset({"timeout", "crashed", "error", "skipped"})
_TURN = 6
"""How many edits of one seed are tried before the next one has its turn."""


@dataclass(eq=False)
class Side:
    """One version's view of a place: the situation that engines work in, and its pool."""

    situation: Situation
    pool: Pool
    paths: set[frozenset[int]] = field(default_factory=set)

    def is_new(self, outcome: Outcome) -> bool:
        """Return whether a run took a path through the place that none took before."""
        ran = outcome.lines.get(self.situation.gap.path, frozenset())
        path = frozenset(ran & self.situation.around)
        if not path or path in self.paths:
            return False
        self.paths.add(path)
        return True

    def reached(self, outcome: Outcome) -> bool:
        """Return whether a run reached a changed line of this side."""
        ran = outcome.lines.get(self.situation.gap.path, frozenset())
        return bool(ran & self.situation.gap.lines)


def side_of(place: Place, scene: Scene, lines: frozenset[int]) -> Side | None:
    """Return a version's view of ``place``, or None where its module cannot be read."""
    source = scene.sources.get(place.path, "")
    gap = Gap(place.path, place.module, place.symbol, lines, altered_branches(source, lines))
    situation = Situation.of(gap, scene)
    if situation is None:
        return None
    pool = pool_of(situation)
    near = unique([*altered_literals(source, lines), *pool.near])
    return Side(situation, replace(pool, near=tuple(near[:_NEAR])))


def nearest(situation: Situation) -> list[KnownTest]:
    """Return the project's tests, those that ran the place first.

    Where nobody measured the file, tests that share words with the place come first, and
    the rest one of each file in turn.
    """
    path = situation.gap.path
    ran = [test for test in situation.scene.tests if test.lines.get(path)]
    if ran:
        near = list(situation.tests)
        ran.sort(key=lambda test: -len(test.lines[path]))
        first: dict[tuple[object, str], KnownTest] = {}
        for test in (*near, *ran):
            first.setdefault((test.source_path, test.qualname), test)
        return list(first.values())
    words = {w.lower() for name in situation.names for w in name.split("_") if len(w) > 2}  # noqa: PLR2004
    words.add(situation.module.name.rpartition(".")[2].strip("_").lower())
    seen: Counter[object] = Counter()
    order = []
    unique = {(test.source_path, test.qualname): test for test in situation.scene.tests}
    for index, test in enumerate(unique.values()):
        shared = sum(word in f"{test.source_path.stem} {test.qualname}".lower() for word in words)
        seen[test.source_path] += 1
        order.append((-shared, seen[test.source_path], index, test))
    order.sort(key=lambda entry: entry[:3])
    return [entry[3] for entry in order]


@dataclass(eq=False)
class _Seed:
    """A starting point for edits, and the edits that are still to be tried."""

    seed: Seed
    edits: Iterator[Edit]
    score: float
    uses: int = 0
    tried: int = 0
    reached: int = 0

    @property
    def worth(self) -> float:
        """How promising it is: what its edits reached so far, less with each turn it had."""
        share = (self.reached + 1) / (self.tried + 2)
        return self.score + share - 0.15 * self.uses


class Hunt:
    """The search at one place.

    ``tried`` is shared by the places of one file: what was run for one is known to all,
    and each of them is told of every run (:meth:`learn`).
    """

    def __init__(
        self,
        place: Place,
        sides: Sequence[Side],
        tests: Sequence[KnownTest],
        tried: set[str],
    ) -> None:
        self.place = place
        self.sides = sides
        self.tests = list(tests)
        self.taken: dict[str, Taken] = {}
        self.tried = tried
        self.seeds: list[_Seed] = []
        self.parents: dict[str, _Seed] = {}
        self.failed: list[str] = []
        self.inlined: list[Candidate] = []
        self.given = 0
        self.quiet = 0  # candidates since one of them took a path that none took before
        self.words = vocabulary([side.situation for side in sides])
        self.looks = looks(*(side.situation for side in sides))
        self.bound = bound_names(*(side.situation for side in sides))
        self._sources = [self._interface(), self._clones(), self._proposed()]

    def batch(self, size: int = BATCH) -> list[Candidate]:
        """Return the next candidates to try; empty when there are no more."""
        found: list[Candidate] = []
        while len(found) < size:
            candidate = self._next()
            if candidate is None:
                break
            mark = fingerprint(candidate)
            if mark not in self.tried:
                self.tried.add(mark)
                found.append(candidate)
        self.given += len(found)
        self.quiet += len(found)
        return found

    def _next(self) -> Candidate | None:
        if self.inlined:
            return self.inlined.pop()
        while self._sources:
            source = self._sources.pop(0)
            try:
                candidate = next(source, None)
            except Exception as error:  # a technique that gives out must not end the search
                self.failed.append(f"{type(error).__name__}: {error}")
                continue
            if candidate is not None:
                self._sources.append(source)
                return candidate
        return None

    def learn(self, candidate: Candidate, pair: Pair) -> bool:
        """Keep a candidate that took a new path as a seed; return whether it got to the place."""
        outcomes = (pair.base.outcome, pair.head.outcome)
        reached = any(s.reached(o) for s, o in zip(self.sides, outcomes, strict=True))
        parent = self.parents.get(candidate.function)
        if parent is not None:
            parent.tried += 1
            parent.reached += reached
        if reached and candidate.technique == "existing":
            self._inline(candidate, pair)
        new = [s.is_new(o) for s, o in zip(self.sides, outcomes, strict=True)]
        if any(new):
            self.quiet = 0
        if outcomes[0].status not in _NO_SEED and (
            any(new) or (reached and candidate.technique == "inlined")
        ):
            self._keep(candidate, score=1.0 + reached)
        return reached

    def _keep(self, candidate: Candidate, *, score: float) -> None:
        seed = seed_of(candidate, self.taken.get(fingerprint(candidate)))
        if seed is None:
            return
        length = len(candidate.function.splitlines())
        pools = [side.pool for side in self.sides]
        edits = varied(seed.function, pools, self.looks, self.words, self.bound)
        if speaks(seed.function, self.words):
            score += 0.5
        self.seeds.append(_Seed(seed, edits, score - 0.002 * length))
        self.seeds.sort(key=lambda s: -s.score)
        del self.seeds[_SEEDS:]
        if not any(getattr(s, "gi_code", None) is self._edits.__code__ for s in self._sources):
            self._sources += [self._edits(), self._edits()]  # two turns for each of the others

    def _inline(self, candidate: Candidate, pair: Pair) -> None:
        """Queue the test with the texts that its helpers gave it written out, to be edited."""
        seed = seed_of(candidate)
        taken = self.taken.get(fingerprint(candidate))
        if seed is None or taken is None:
            return
        function = written_out(seed.function, pair.base.facts)
        if function is None:
            return
        text = taken.render(function)
        made = replace(candidate, technique="inlined", function=text, name=_defined(text))
        made = with_looks(replace(made, prelude=taken.prelude(function)), function)
        self.taken[fingerprint(made)] = taken
        self.inlined.append(made)

    def _interface(self) -> Iterator[Candidate]:
        yield from interface_candidates(self.place, *(s.situation for s in self.sides))

    def _clones(self) -> Iterator[Candidate]:
        """Existing tests, those that ran the place first, one row of each before a second."""
        for turn in range(_ROWS):
            for test in self.tests[: _TESTS if turn == 0 else _TESTS // 2]:
                candidate = self._clone(test, turn)
                if candidate is not None:
                    yield candidate

    def _clone(self, test: KnownTest, turn: int) -> Candidate | None:
        sources = self.sides[1].situation.scene.test_sources
        file = whole_file(test.source_path, sources)
        if file is None:
            return None
        count = rows(file, test.qualname)
        if turn >= count:
            return None
        taken = take(file, test.qualname, turn * max(1, count // _ROWS))
        if taken is None:
            return None
        function = plain_asserts(taken.function)
        try:
            text = taken.render(function)
            prelude = taken.prelude(function)
            name = _defined(text)
        except (SyntaxError, ValueError, RecursionError):
            return None
        candidate = Candidate("existing", name, text, prelude, origin=test.nodeid)
        candidate = with_looks(candidate, function)
        self.taken[fingerprint(candidate)] = replace(taken, function=function)
        return candidate

    def _proposed(self) -> Iterator[Candidate]:
        """Examples, recorded calls varied, direct calls; of the base's code and the head's."""
        # Of what is gone from a module, a call cannot even be imported on head.
        calls: list[Technique] = []
        if self.place.symbol != MODULE:
            calls = [Carve(), Construct(), Sequences()]
        streams = [
            technique.propose(side.situation)
            for technique in (Examples(), *calls)
            for side in self.sides
        ]
        while streams:
            for stream in list(streams):
                try:
                    found = next(stream, None)
                except Exception as error:  # the other techniques go on
                    self.failed.append(f"{type(error).__name__}: {error}")
                    found = None
                if found is None:
                    streams.remove(stream)
                else:
                    yield from found

    def _edits(self) -> Iterator[Candidate]:
        """Edits of the best seeds, a few of each in turn."""
        while self.seeds:
            best = max(self.seeds, key=lambda s: s.worth)
            best.uses += 1
            found = list(islice(best.edits, _TURN))
            if not found:
                self.seeds.remove(best)
            for edit in found:
                candidate = best.seed.edited(edit, "varied")
                if candidate is None:
                    continue
                if best.seed.taken is not None:
                    self.taken[fingerprint(candidate)] = best.seed.taken
                self.parents[candidate.function] = best
                yield with_looks(candidate, edit.function)


def _defined(source: str) -> str:
    """Return the name of the function or class that a candidate's text ends in."""
    last = syntax.parse(source).body[-1]
    if isinstance(last, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return last.name
    raise ValueError(source)
