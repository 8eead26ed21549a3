"""Compare base and head: the steps, in the order in which they are taken.

find the places -> open both sides -> search -> make catching tests -> confirm -> judge.
"""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError
from pytest_aipipe.compare.arenas import Arenas, on_base, with_test_files
from pytest_aipipe.compare.catching import catch, catches
from pytest_aipipe.compare.difference import meddles, seen_again
from pytest_aipipe.compare.files import FOLDER
from pytest_aipipe.compare.model import Compared, Sighting
from pytest_aipipe.compare.places import places
from pytest_aipipe.compare.search import Hunt, nearest, side_of
from pytest_aipipe.compare.sources import test_paths, texts_of, with_texts
from pytest_aipipe.compare.stories import Stories, without_weak
from pytest_aipipe.compare.telling import behavior_change
from pytest_aipipe.explore.process import unsandboxed
from pytest_aipipe.generate.model import Scene
from pytest_aipipe.generate.scene import read_sources
from pytest_aipipe.write.formatter import Formatter, formatter_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aipipe_core.change.model import Change
    from pytest_aipipe.compare.model import BehaviorChange, Place
    from pytest_aipipe.explore.process import Launch
    from pytest_aipipe.generate.model import Candidate, RecordedCall
    from pytest_aipipe.generate.request import Progress, Request

_QUIET, _QUIET_AFTER = 320, 96
"""Candidates in a row without a new path after which a place is left: nothing was told of it, or
something was."""
_PATIENCE = 15.0
"""Seconds for a finished test: it may hold a time limit, and the machine may be busy."""
_RECORDING, _LEAST_RECORDING = 0.1, 2.0
"""Of the time that is left, for watching the nearest tests' calls; and seconds at least."""
_READING = 0.6
"""Of the time that is left, what reading a large change has to leave for running it."""
_SEEDS = ("1", "4242")


def has_places(request: Request, change: Change) -> bool:
    """Return whether any definition that both sides have may behave differently."""
    for file in change.files:
        texts = texts_of(replace(change, files=(file,)), request)
        if places([file], texts.base, texts.head, texts.modules):
            return True
    return False


def compare(
    request: Request,
    change: Change,
    base_root: Path,
    progress: Progress,
    *,
    budget: float,
    launch: Launch = unsandboxed,
    candidates: Sequence[Candidate] = (),
    halted: Callable[[], bool] = lambda: False,
    enough: Callable[[], bool] = lambda: False,
) -> Compared:
    """Return what head does and the base did not, each with a test that was seen to tell.

    ``request`` is head's; ``base_root`` holds the base's files and is only read.
    ``candidates`` are tests that were found for other ends: they are run on both sides
    first. ``budget`` is in seconds. Once ``halted`` says so, it ends early with what it has;
    once ``enough`` does, nothing more is looked for, and what was seen is still told.
    """
    deadline = time.monotonic() + budget
    comparison = _Comparison(request, change, progress, deadline, launch, halted, enough)
    try:
        with tempfile.TemporaryDirectory(dir=base_root.parent, prefix="arena-") as private:
            comparison.run(base_root, Path(private), candidates)
    except AipipeError as error:
        comparison.notes.append(" ".join(str(error).split()))
    return Compared(tuple(comparison.changes), tuple(comparison.notes), comparison.tried)


@dataclass
class _Comparison:
    request: Request
    change: Change
    progress: Progress
    deadline: float
    launch: Launch
    halted: Callable[[], bool]
    enough: Callable[[], bool]
    changes: list[BehaviorChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tried: int = 0
    stories: Stories = field(default_factory=Stories)
    formatter: Formatter = field(default_factory=Formatter)
    second: Arenas | None = None
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return -1.0 if self.halted() else self.deadline - time.monotonic()

    def run(self, base_root: Path, private: Path, candidates: Sequence[Candidate]) -> None:
        """Take every step."""
        texts = texts_of(self.change, self.request)
        found = places(self.change.files, texts.base, texts.head, texts.modules)
        if not found:
            return
        self.formatter = formatter_of(self.request.root)
        self.request = with_texts(self.request, texts, found)
        tests = test_paths(self.change.files)
        root = with_test_files(base_root, self.request.root, tests, private)
        base = on_base(self.request, root, texts.base, texts.removed)
        begun = time.monotonic()
        with self.stack, Arenas(base, self.request, launch=self.launch) as arenas:
            opening = time.monotonic() - begun
            hunts = self._hunts(found, arenas)
            self._given(candidates, hunts, arenas)
            self._search(hunts, arenas)
            for hunt in hunts:
                self.notes += [
                    f"A technique gave out at {hunt.place.symbol}: {why}" for why in hunt.failed
                ]
            if self.changes:
                self.changes = self._tells(without_weak(self.changes), self._second(arenas))
        if self.changes and self.left > 2 * opening:
            self._confirm(base)

    def _hunts(self, found: Sequence[Place], arenas: Arenas) -> list[Hunt]:
        hunts: list[Hunt] = []
        tried: dict[str, set[str]] = {}
        calls = arenas.explorers[1].record_calls(
            [(place.path, place.symbol) for place in found],
            timeout=max(_LEAST_RECORDING, self.left * _RECORDING),
        )
        scenes = [self._scene(request, arenas, calls) for request in arenas.requests]
        enough = self.left * _READING
        for number, place in enumerate(found):
            if hunts and self.left < enough:
                self.notes.append(_not_compared(len(found) - number))
                break
            lines = (place.base_lines, place.head_lines)
            sides = [side_of(place, s, n) for s, n in zip(scenes, lines, strict=True)]
            if None in sides:
                continue
            both = [side for side in sides if side is not None]
            known = tried.setdefault(place.path, set())
            hunts.append(Hunt(place, both, nearest(both[1].situation), known))
        return hunts

    def _scene(self, request: Request, arenas: Arenas, calls: Sequence[RecordedCall]) -> Scene:
        return Scene(
            root=request.root,
            sources=request.sources,
            added=request.added,
            tests=request.tests,
            calls=calls,
            test_sources=read_sources(request.tests),
            fixtures=arenas.explorers[1].ready.fixtures,
            rng=random.Random(request.seed),  # noqa: S311 - the same search for the same change
        )

    def _given(
        self, candidates: Sequence[Candidate], hunts: Sequence[Hunt], arenas: Arenas
    ) -> None:
        for hunt in hunts[:1]:
            for start in range(0, len(candidates), 16):
                self._try(hunt, hunts, candidates[start : start + 16], arenas)

    def _search(self, hunts: list[Hunt], arenas: Arenas) -> None:
        """Go round the places until the time is spent or nothing is left to try."""
        waiting = list(hunts)
        while waiting and self.left > 0 and not self.enough():
            for hunt in list(waiting):
                batch = hunt.batch()
                if not batch or self._done(hunt):
                    waiting.remove(hunt)
                    continue
                self._try(hunt, hunts, batch, arenas)
                if self.left <= 0 or self.enough():
                    return
                self.progress.step(
                    f"comparing {hunt.place.symbol}",
                    done=len(hunts) - len(waiting),
                    total=len(hunts),
                    left=max(0.0, self.left),
                )

    def _done(self, hunt: Hunt) -> bool:
        """Return whether nothing more is to be expected of a place, or enough is known of it."""
        told = self.stories.told(hunt.place)
        quiet = _QUIET_AFTER if told else _QUIET
        return self.stories.is_closed(hunt.place) or hunt.quiet >= quiet

    def _try(
        self, hunt: Hunt, hunts: Sequence[Hunt], batch: Sequence[Candidate], arenas: Arenas
    ) -> None:
        pairs = arenas.run(batch)
        self.tried += len(batch)
        sightings = []
        for candidate, pair in zip(batch, pairs, strict=True):
            reached = [h for h in hunts if h.learn(candidate, pair)]
            told = [*(h for h in reached if h is hunt), *reached, hunt]
            if not reached and candidate.technique != "interface":
                continue
            found = arenas.differences(pair)
            if found and (meddles(candidate.function) or _is_inward(told[0].place, candidate)):
                found = tuple(replace(one, weak=True) for one in found)
            if found:
                sightings.append(Sighting(told[0].place, candidate, found))
        sightings.sort(key=lambda s: (s.differences[0].weak, len(s.candidate.function)))
        for sighting in sightings:
            if self.left <= 0:
                return
            if not self.stories.is_closed(sighting.place):
                try:
                    self._catch(sighting, arenas)
                except AipipeError:
                    raise
                except Exception as error:  # what was found before this one must not be lost
                    self.notes.append(f"A test could not be made: {type(error).__name__}: {error}")

    def _catch(self, sighting: Sighting, arenas: Arenas) -> None:
        place, stories = sighting.place, self.stories
        if not any(stories.is_new(place, one) for one in sighting.differences):
            return
        (again,) = arenas.run([sighting.candidate])
        stable = seen_again(sighting.differences, arenas.differences(again))
        if not stable or not stories.is_new(place, stable[0]):
            return  # chance, which is no attempt (many candidates may show it), or known
        stories.attempt(place)
        caught = catch(sighting.candidate, stable[0], arenas, deadline=self.deadline)
        if caught is None:
            return
        if not stories.is_new(place, caught.difference):
            stories.know(place, stable[0])  # made small, it shows what another one has shown
            return
        change = behavior_change(
            place, caught, len(self.changes) + 1, self.request, self.change, self.formatter
        )
        if self._tells([change], self._second(arenas)) == [change]:
            stories.tell(place, stable[0], caught.difference)
            self.changes.append(change)

    def _second(self, arenas: Arenas) -> Arenas:
        """Return two more processes, with another hash seed, opened when first needed."""
        if self.second is None:
            again = Arenas(
                *arenas.requests, launch=self.launch, hash_seed=_SEEDS[0], seconds=_PATIENCE
            )
            self.second = self.stack.enter_context(again)
        return self.second

    def _confirm(self, base: Request) -> None:
        """Keep the tests that tell the sides apart under a third hash seed as well."""
        with Arenas(
            base, self.request, launch=self.launch, hash_seed=_SEEDS[1], seconds=_PATIENCE
        ) as fresh:
            self.changes = self._tells(self.changes, fresh)

    @staticmethod
    def _tells(changes: Sequence[BehaviorChange], arenas: Arenas) -> list[BehaviorChange]:
        """Return those whose files, as they are written, tell the sides apart."""
        files = [(f"{FOLDER}/{c.file_name}", c.test, c.test_name) for c in changes]
        pairs = arenas.run_files(files)
        return [c for c, pair in zip(changes, pairs, strict=True) if catches(pair)]


def _not_compared(count: int) -> str:
    what = "1 changed definition was" if count == 1 else f"{count} changed definitions were"
    return f"{what} not compared: the time was over. --ai-budget gives more."


def _is_inward(place: Place, candidate: Candidate) -> bool:
    """Return whether a candidate only reads a name of a module that is private itself."""
    return candidate.technique == "interface" and any(
        part.startswith("_") for part in place.module.split(".")
    )
