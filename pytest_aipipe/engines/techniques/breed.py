"""Let near tests and candidates be varied by the thousand, steered by the ways they take."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.seeds import Seed
from pytest_aipipe.engines.source.edits import Edit
from pytest_aipipe.engines.source.existing import take
from pytest_aipipe.engines.source.inherited import whole_file
from pytest_aipipe.engines.source.material import material_of
from pytest_aipipe.engines.source.writer import identifier, prelude_of
from pytest_aipipe.explore.trees import clone
from pytest_aipipe.generate.model import Brood, Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.techniques.base import Proposals
    from pytest_aipipe.generate.model import KnownTest, Material

_TESTS = 24
_TURNS = 40
_AT_ONCE = 2
_ROUNDS = 1500
_SECONDS = 1.5
_KEPT = 4  # candidates of other techniques to breed as well
_CALLERS = 6
_SPREAD = 6  # how many tests get a brood before the first gets its second
_SLOW = 0.2  # a test that takes longer cannot be varied often enough to matter


@dataclass(eq=False)
class Line:
    """One test or candidate that is bred: what its last brood ended with, and how near it is."""

    seed: Seed
    others: tuple[str, ...] = ()
    broods: int = 0


class Breed:
    """Broods of the nearest tests and of the candidates that came nearest, in turns."""

    name = "breed"

    def propose(self, situation: Situation) -> Proposals:
        """Yield broods; try what they found; go on with what came nearest."""
        material = material_of(situation)
        lines = [Line(seed) for seed in self._tests(situation)]
        known = {line.seed.candidate.function for line in lines}
        for turn in range(_TURNS):
            for seed in situation.seeds.kept[:_KEPT]:
                if seed.taken is None and _can_vary(seed) and seed.candidate.function not in known:
                    known.add(seed.candidate.function)
                    lines.append(Line(seed))
            # All get one brood, in their order; then the least bred of the first go on.
            chosen = sorted(lines, key=lambda line: line.broods * _SPREAD + lines.index(line))
            if not chosen:
                return
            chosen = chosen[:_AT_ONCE]
            broods = [self._brood(situation, line, material, turn * _AT_ONCE + i)
                      for i, line in enumerate(chosen)]  # fmt: skip
            outcomes = yield broods
            made: list[Candidate] = []
            for line, outcome in zip(chosen, outcomes, strict=True):
                line.broods += 1 if outcome.status == "skipped" else _TURNS
                line.others = outcome.near or line.others
                for source in outcome.found:
                    made += self._found(situation, line.seed, source)
            if made:
                yield made
            if situation.closed:
                return

    def _tests(self, situation: Situation) -> Iterator[Seed]:
        """Yield the nearest tests as seeds, taken out of their files."""
        # A test that runs nothing of the file may only look as if it had to do with the gap.
        ranked = sorted(situation.tests, key=lambda t: not t.lines.get(situation.gap.path))
        for test in ranked[:_TESTS]:
            seed = _taken(situation, test)
            if seed is not None:
                yield seed

    def _brood(
        self, situation: Situation, line: Line, material: Material, number: int
    ) -> Candidate:
        seed, candidate = line.seed, line.seed.candidate
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
            chains=tuple(open_places), others=line.others, rounds=_ROUNDS, seconds=_SECONDS,
            seed=number, focus=_focus(situation),
        )  # fmt: skip

    def _found(self, situation: Situation, seed: Seed, source: str) -> Iterator[Candidate]:
        """Yield what a brood found as candidates: without fixtures that nothing uses, then with."""
        node = syntax.parse(source).body[0]
        if not isinstance(node, ast.FunctionDef):
            return
        own, found = seed.function.args.args, node.args.args
        if own and own[0].arg == "self" and (not found or found[0].arg != "self"):
            found.insert(0, clone(own[0]))  # a test that does without its class
        node.decorator_list = [clone(one) for one in seed.function.decorator_list]
        if seed.taken is None or seed.taken.owner is None:
            node.name = f"test_{identifier(situation.gap.symbol)}"
        lean = clone(node)
        used = {one.id for one in ast.walk(lean) if isinstance(one, ast.Name)} | {"self"}
        lean.args.args = [one for one in lean.args.args if one.arg in used]
        for made in [lean, node] if len(lean.args.args) < len(node.args.args) else [node]:
            candidate = seed.edited(Edit(made, "varied"), self.name)
            if candidate is not None:
                if seed.taken is not None:
                    situation.taken[candidate.function] = seed.taken
                yield candidate


def _focus(situation: Situation) -> tuple[tuple[str, int], ...]:
    """Return the lines of the gap's definitions and of what calls them."""
    lines = set(situation.around)
    for target in situation.targets:
        for caller in situation.callers(target)[:_CALLERS]:
            lines.update(range(caller.start, caller.end + 1))
    return tuple((situation.gap.path, line) for line in sorted(lines))


def _piece(situation: Situation, line: int, place: int | tuple[int, int]) -> tuple[str, int, int]:
    ends = place if isinstance(place, tuple) else (line, 0)
    return (situation.gap.path, *ends)


def _taken(situation: Situation, test: KnownTest) -> Seed | None:
    """Return a test as a seed; None where it cannot be varied in one process."""
    file = whole_file(test.source_path, situation.scene.test_sources)
    taken = take(file, test.qualname) if file is not None and test.seconds < _SLOW else None
    if taken is None or isinstance(taken.function, ast.AsyncFunctionDef):
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


def _can_vary(seed: Seed) -> bool:
    return isinstance(seed.function, ast.FunctionDef)
