"""The embedded engine: its techniques in turn, each learning from what the others' runs showed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from pytest_aipipe.engines.seeds import seed_of
from pytest_aipipe.engines.situation import Situation
from pytest_aipipe.engines.source.fakes import fakes_of, starts_process
from pytest_aipipe.engines.source.folder import within_folder, writes_outside
from pytest_aipipe.engines.source.separators import missed_in, separator_edits
from pytest_aipipe.engines.source.typed import reads_input, with_input
from pytest_aipipe.engines.source.writer import fingerprint
from pytest_aipipe.engines.techniques.amplify import Amplify
from pytest_aipipe.engines.techniques.breed import Breed
from pytest_aipipe.engines.techniques.carve import Carve
from pytest_aipipe.engines.techniques.command import Command, entries
from pytest_aipipe.engines.techniques.construct import Construct
from pytest_aipipe.engines.techniques.examples import Examples
from pytest_aipipe.engines.techniques.force import Force
from pytest_aipipe.engines.techniques.module_level import ModuleLevel, is_conditional
from pytest_aipipe.engines.techniques.search import Search, keep, pool_of
from pytest_aipipe.engines.techniques.sequences import Sequences
from pytest_aipipe.generate.model import Brood

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pytest_aipipe.engines.techniques.base import Proposals, Technique
    from pytest_aipipe.generate.model import Candidate, Gap, Outcome, Scene


_PATIENCE = 2
# What a turn costs, in candidates: a brood and one that runs into its limit take that much longer.
_BROOD = 16
_STUCK = 40
_LATER = 24  # that much of each other technique comes before the first brood
_MUCH = 8
_NEAR = 0.5
# How many candidates get a text that a guard missed, and how many forms each of them has then.
_PARTED = 4
_PARTS = 8


def techniques() -> list[Technique]:
    """Return the techniques in the order in which they first get a turn."""
    return [
        Examples(), Amplify(), Carve(), Construct(), Breed(), ModuleLevel(), Command(), Force(),
        Sequences(), Search(),
    ]  # fmt: skip


def likeliest_first(order: Sequence[Technique], situation: Situation) -> list[Technique]:
    """Return the techniques with the one that this gap plainly asks for moved to the front."""
    wanted: set[str] = set()
    if any(g.handlers for g in situation.guards):
        wanted.add("force")
    target = situation.target
    if target is None or target.is_class or target.name == "__getattr__":
        wanted.add("module")
    if any(is_conditional(situation, target) for target in situation.targets):
        wanted.add("module")
    if any(starts_process(f) for t in situation.targets for f in fakes_of(t.node)):
        wanted.add("force")
    if situation.target is not None and situation.target in entries(situation):
        wanted.add("command")
    if situation.gap.size >= _MUCH and _nearest(situation) >= _NEAR:
        wanted.add("breed")  # much is open around where tests already are
    return sorted(order, key=lambda t: t.name not in wanted)


def _nearest(situation: Situation) -> float:
    """Return how near the nearest test comes: 0 to 1."""
    path = situation.gap.path
    nearest = (situation.nearness(t.lines.get(path, frozenset())) for t in situation.tests[:3])
    return max(nearest, default=0.0)


@dataclass(eq=False)
class _Turns:
    """A technique at work on one gap, and what its candidates have cost."""

    technique: Technique
    place: int
    spent: int = 0
    again: bool = False
    worked: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    _proposals: Proposals | None = None

    def next(self, situation: Situation) -> Sequence[Candidate] | None:
        """Return the next batch, None where the technique has nothing more."""
        try:
            if self._proposals is None:
                self._proposals = self.technique.propose(situation)
                batch = next(self._proposals)
            else:
                batch = self._proposals.send(self.outcomes)
        except StopIteration:
            return None
        return batch


def _parted(situation: Situation, candidate: Candidate, outcome: Outcome) -> list[Candidate]:
    """Return ``candidate`` with a text that a guard of the gap looked for in what it passes.

    The first few for each such text: they differ in all but what the guard sees.
    """
    seen = [c for c in outcome.comparisons
            if c.path == situation.gap.path and c.line in situation.guard_lines]  # fmt: skip
    wanted = [text for text in missed_in(seen) if situation.missed[text] < _PARTED]
    seed = seed_of(candidate, situation.taken.get(candidate.function)) if wanted else None
    if seed is None:
        return []
    situation.missed.update(wanted)
    edits = islice(separator_edits(seed.function, pool_of(situation), wanted), _PARTS)
    made = (seed.edited(edit, candidate.technique) for edit in edits)
    return [one for one in made if one is not None]


class LocalEngine:
    """Proposes candidates without a model. Deterministic for a scene."""

    name = "local"

    def __init__(self, order: Sequence[Technique] | None = None) -> None:
        self.order = techniques() if order is None else list(order)

    def propose(
        self, gap: Gap, scene: Scene
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], None]:
        """Yield batches of the techniques, the one that cost least so far next.

        What was tried before is skipped.
        """
        situation = Situation.of(gap, scene)
        if situation is None:
            return
        order = likeliest_first(self.order, situation)
        waiting = [_Turns(technique, place) for place, technique in enumerate(order)]
        for one in waiting:
            one.spent = _LATER if one.technique.name == "breed" and one.place else 0
        while waiting and not situation.closed:
            one = min(waiting, key=lambda turns: (turns.spent, turns.place))
            if not (yield from self._turn(situation, one)):
                waiting.remove(one)
            if not waiting and situation.seeds.kept and (one.worked or not one.again):
                waiting.append(_Turns(self.order[-1], 0, again=True))

    def _turn(
        self, situation: Situation, one: _Turns
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], bool]:
        """Run a technique's next batch; return whether it is worth another turn."""
        batch = one.next(situation)
        if batch is None:
            return False
        known, left = len(situation.outcomes), situation.size
        outcomes = yield from self._run(situation, batch)
        broods = sum(isinstance(candidate, Brood) for candidate in batch)
        stuck = sum(o.status == "timeout" for o in outcomes)
        one.spent += 1 + len(situation.outcomes) - known + broods * _BROOD + stuck * _STUCK
        one.outcomes = outcomes
        one.worked = one.worked or bool(broods) or len(situation.outcomes) > known
        if situation.size < left:
            one.spent = 0  # what closed something is likely to close more
        # What blocks once blocks again, and each time costs whole seconds.
        return not (stuck > _PATIENCE and stuck > len(outcomes) // 2)

    def _run(
        self, situation: Situation, batch: Sequence[Candidate], *, plain: bool = True
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], list[Outcome]]:
        """Yield what is new of a batch and return the outcomes of all of it.

        What a run lacked is given, and run as well; where the batch is ``plain``, so is a text that
        a guard looked for in vain.
        """
        marks = [fingerprint(c) for c in batch]
        fresh = {m: c for m, c in zip(marks, batch, strict=True) if m not in situation.outcomes}
        if fresh:
            outcomes = yield list(fresh.values())
            for (mark, candidate), outcome in zip(fresh.items(), outcomes, strict=True):
                situation.outcomes[mark] = outcome
                if not writes_outside(outcome):  # no test of it can be kept
                    situation.learn(outcome)
                keep(situation, candidate, outcome)
            ran = [(c, situation.outcomes[mark]) for mark, c in fresh.items()]
            if lacking := [one for c, outcome in ran for one in _helped(c, outcome)]:
                yield from self._run(situation, lacking, plain=plain)
            if plain and (
                parted := [one for c, outcome in ran for one in _parted(situation, c, outcome)]
            ):
                yield from self._run(situation, parted, plain=False)
        return [situation.outcomes[m] for m in marks]


def _helped(candidate: Candidate, outcome: Outcome) -> list[Candidate]:
    """Return ``candidate`` with what its run lacked: something typed, a folder to write to."""
    if reads_input(outcome):
        return with_input(candidate)
    return within_folder(candidate) if writes_outside(outcome) else []
