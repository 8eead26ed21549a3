"""Clone the tests that come nearest to the gap, as they are or with the gap's call added."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.seeds import seed_of
from pytest_aipipe.engines.source.edits import append_edits, in_turns
from pytest_aipipe.engines.source.existing import Taken, rows, take
from pytest_aipipe.engines.source.inherited import whole_file
from pytest_aipipe.engines.source.states import state_edits, states_of
from pytest_aipipe.engines.techniques.search import pool_of
from pytest_aipipe.explore.trees import clone
from pytest_aipipe.generate.model import Candidate, KnownTest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.engines.analysis.module import Definition
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.source.states import State
    from pytest_aipipe.engines.techniques.base import Proposals

_TESTS = 8
_ROWS = 3
_CALLING = 48
_STATED = 24
_BATCH = 8


def _is_out_of_reach(target: Definition) -> bool:
    """Whether the target is a method of a class that only code within a function can name."""
    owner = target.owner
    if owner is None or not owner.is_class:
        return False
    while owner.owner is not None:
        owner = owner.owner
        if not owner.is_class:
            return True
    return False


def _batches(candidates: Iterator[Candidate]) -> Proposals:
    while batch := list(islice(candidates, _BATCH)):
        yield batch


class Amplify:
    """First wave of amplification; the search edits what came nearest."""

    name = "amplify"

    def propose(self, situation: Situation) -> Proposals:
        """Yield clones of the nearest tests, then clones with a call of the target appended."""
        tests = situation.tests[:_TESTS]
        clones = [c for t in tests for c in self._clones(situation, t)]
        yield from _batches(iter(clones))
        if states := states_of(situation):
            near = [c for t in situation.tests[:_STATED] for c in self._clones(situation, t)[:1]]
            streams = [self._stating(situation, copied, states) for copied in near]
            yield from _batches(islice(in_turns(streams), _CALLING))
        if any(_is_out_of_reach(target) for target in situation.targets):
            streams = [self._calling(situation, copied) for copied in clones]
            yield from _batches(islice(in_turns(streams), _CALLING))

    def _stating(
        self, situation: Situation, copied: Candidate, states: Sequence[State]
    ) -> Iterator[Candidate]:
        """Yield a test with what the guards ask of objects given to the constructors it calls."""
        seed = seed_of(copied, situation.taken.get(copied.function))
        if seed is None:
            return
        for edit in state_edits(seed.function, states):
            made = seed.edited(edit, self.name)
            if made is not None and seed.taken is not None:
                situation.taken[made.function] = seed.taken
                yield made

    def _calling(self, situation: Situation, copied: Candidate) -> Iterator[Candidate]:
        """Yield a test with the target called on what it holds, attributes before names."""
        seed = seed_of(copied, situation.taken.get(copied.function))
        if seed is None:
            return
        for edit in append_edits(seed.function, pool_of(situation)):
            made = seed.edited(edit, self.name)
            if made is not None:
                if seed.taken is not None:
                    situation.taken[made.function] = seed.taken
                yield made

    def _clones(self, situation: Situation, test: KnownTest) -> list[Candidate]:
        file = whole_file(test.source_path, situation.scene.test_sources)
        if file is None:
            return []
        found: list[Candidate] = []
        count = rows(file, test.qualname)
        for row in range(0, count, max(1, count // _ROWS))[:_ROWS]:
            taken = take(file, test.qualname, row)
            if taken is None:
                continue
            candidate = self._candidate(taken, test)
            if candidate is not None:
                situation.taken[candidate.function] = taken
                found.append(candidate)
        return found

    def _candidate(self, taken: Taken, test: KnownTest) -> Candidate | None:
        function = clone(taken.function)
        name = taken.name(function)
        try:
            text = taken.render(function)
            syntax.parse(text)
        except (SyntaxError, ValueError):
            return None
        return Candidate(
            technique=self.name, name=name, function=text, prelude=taken.prelude(function),
            origin=test.nodeid,
        )  # fmt: skip
