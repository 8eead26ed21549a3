"""Let near tests and candidates be varied by the thousand, steered by the ways they take."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from pytest_aipipe.engines.seeds import Seed
from pytest_aipipe.engines.source.edits import Edit
from pytest_aipipe.engines.source.existing import take, test_file
from pytest_aipipe.engines.source.material import material_of
from pytest_aipipe.engines.source.writer import identifier, prelude_of
from pytest_aipipe.generate.model import Brood, Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.source.existing import Taken
    from pytest_aipipe.engines.techniques.base import Proposals
    from pytest_aipipe.generate.model import KnownTest, Material

_TESTS = 24
_TURNS = 40
_AT_ONCE = 2
_ROUNDS = 1500
_SECONDS = 1.5
_SLOW = 0.2  # a test that takes longer cannot be varied often enough to matter


class Breed:
    """Broods of the nearest tests and of the candidates that came nearest, in turns."""

    name = "breed"

    def propose(self, situation: Situation) -> Proposals:
        """Yield broods; try what they found; go on with what came nearest."""
        material = material_of(situation)
        fresh = self._seeds(situation)
        used: dict[str, int] = {}
        for turn in range(_TURNS):
            seeds = self._chosen(situation, fresh, used)
            if not seeds:
                return
            broods = [self._brood(situation, s, material, turn * _AT_ONCE + i)
                      for i, s in enumerate(seeds)]  # fmt: skip
            outcomes = yield broods
            made = [c for seed, outcome in zip(seeds, outcomes, strict=True)
                    for source in outcome.found
                    if (c := self._found(situation, seed, source)) is not None]  # fmt: skip
            if made:
                yield made
            if situation.closed:
                return

    def _seeds(self, situation: Situation) -> Iterator[Seed]:
        """Yield the nearest tests as seeds, taken out of their files."""
        for test in situation.tests[:_TESTS]:
            seed = _taken(situation, test)
            if seed is not None:
                yield seed

    def _chosen(
        self, situation: Situation, fresh: Iterator[Seed], used: dict[str, int]
    ) -> list[Seed]:
        """Return a test that was not varied yet and the candidate that came nearest."""
        chosen: list[Seed] = []
        kept = [s for s in situation.seeds.kept if _can_vary(s)]
        kept.sort(key=lambda s: -s.score + 0.05 * used.get(s.candidate.function, 0))
        for _ in range(_AT_ONCE):
            seed = next(fresh, None) if len(chosen) % 2 == 0 or not kept else None
            if seed is None and kept:
                seed = kept.pop(0)
            if seed is None:
                break
            mark = seed.candidate.function
            used[mark] = used.get(mark, 0) + 1
            chosen.append(seed)
        return chosen

    def _brood(
        self, situation: Situation, seed: Seed, material: Material, number: int
    ) -> Candidate:
        candidate = seed.candidate
        prelude = candidate.prelude
        if seed.taken is not None:  # statements of other tests may need what their file imports
            prelude = prelude_of((*prelude, *seed.taken.file.imports))
        open_places = [
            (_piece(situation, chain[-1], arc), chain)
            for chain, arc in zip(situation.chains, situation.places, strict=True)
            if (arc in situation.arcs if isinstance(arc, tuple) else arc in situation.lines)
        ]
        return Brood(
            technique=self.name, name=seed.function.name, function=candidate.function,
            prelude=prelude, origin=candidate.origin, mocked=candidate.mocked, material=material,
            chains=tuple(open_places), rounds=_ROUNDS, seconds=_SECONDS, seed=number,
        )  # fmt: skip

    def _found(self, situation: Situation, seed: Seed, source: str) -> Candidate | None:
        node = ast.parse(source).body[0]
        if not isinstance(node, ast.FunctionDef):
            return None
        node.decorator_list = copy.deepcopy(seed.function.decorator_list)
        candidate = seed.edited(Edit(node, "varied"), self.name)
        if candidate is not None and seed.taken is not None:
            situation.taken[candidate.function] = seed.taken
        return candidate


def _piece(situation: Situation, line: int, place: int | tuple[int, int]) -> tuple[str, int, int]:
    ends = place if isinstance(place, tuple) else (line, 0)
    return (situation.gap.path, *ends)


def _taken(situation: Situation, test: KnownTest) -> Seed | None:
    """Return a test as a seed; None where it cannot be varied in one process."""
    source = situation.scene.test_sources.get(test.source_path)
    file = test_file(test.source_path, source) if source is not None else None
    taken = take(file, test.qualname) if file is not None and test.seconds < _SLOW else None
    if taken is None or not _is_plain(taken):
        return None
    try:
        text = taken.render(taken.function)
    except (SyntaxError, ValueError):
        return None
    candidate = Candidate(
        technique="breed", name=identifier(taken.function.name), function=text,
        prelude=taken.prelude(taken.function), origin=test.nodeid,
    )  # fmt: skip
    return Seed(candidate, taken.function, taken)


def _is_plain(taken: Taken) -> bool:
    """Whether pytest calls the test itself, and not through unittest or an event loop."""
    if isinstance(taken.function, ast.AsyncFunctionDef):
        return False
    return taken.owner is None or not taken.owner.bases


def _can_vary(seed: Seed) -> bool:
    if seed.taken is not None:
        return _is_plain(seed.taken)
    return isinstance(seed.function, ast.FunctionDef)
