"""Where generation is at: the engines at work, the tests that passed, the time that is left."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from aipipe_core.errors import AipipeError
from pytest_aipipe.assertions.settle import Settled, Unsettled, body_size, raise_lines, settle
from pytest_aipipe.explore.explorer import Explorer
from pytest_aipipe.gate.fresh import NOT_FRESH, FreshRuns, Refused
from pytest_aipipe.gate.rules import Admission, Rule, first_rejection
from pytest_aipipe.gate.thrift import fewest
from pytest_aipipe.generate import strength
from pytest_aipipe.generate.accidents import Accidents, heard
from pytest_aipipe.generate.kept import Kept, lines_run, ran_by
from pytest_aipipe.generate.pool import Pool
from pytest_aipipe.generate.remaining import Remaining, judged, pieces
from pytest_aipipe.generate.request import (
    AdmittedTest,
    MutantCount,
    Progress,
    RejectedTest,
    Request,
    Result,
)
from pytest_aipipe.generate.rota import Rota, Turn
from pytest_aipipe.generate.stages import Waiting, share, stages_of
from pytest_aipipe.generate.stronger import make_stronger
from pytest_aipipe.generate.tally import Tally
from pytest_aipipe.generate.tries import Tries
from pytest_aipipe.generate.why import Evidence
from pytest_aipipe.write.compose import Composed, Planned, compose
from pytest_aipipe.write.formatter import formatter_of
from pytest_aipipe.write.naming import taken_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_aipipe.explore.explorer import Ready
    from pytest_aipipe.generate.kept import Fault
    from pytest_aipipe.generate.model import Candidate, Engine, Gap, Outcome, RecordedCall

RECORDING_SHARE = 0.12
MAX_TROUBLE = 3  # tests lost for one and the same reach before it is given up
TOGETHER_ROUNDS = 4


class Workshop:
    """One generation. Use as a context manager: its processes end with it."""

    def __init__(
        self,
        request: Request,
        progress: Progress,
        *,
        engines: Sequence[Engine],
        rules: Sequence[Rule],
    ) -> None:
        from pytest_aipipe.generate.surroundings import launcher

        self.request = request
        self.progress = progress
        self.engines = engines
        self.rules = rules
        self.started = time.monotonic()
        self.remaining = Remaining(request.gaps)
        self._closed_at = self.started
        self.tally = Tally()
        self.evidence = Evidence(request.sources)
        self.tries = Tries()
        self.notes: list[str] = []
        self.kept: list[Kept] = []
        self.accidents = Accidents()
        self.rejected: list[RejectedTest] = []
        self.calls: Sequence[RecordedCall] = ()
        self.mutants = MutantCount()
        self.pool = Pool(request.added, self._is_raise)
        self._trouble: dict[frozenset[object], int] = {}
        self._said: dict[int, str] = {}  # by candidate, of the batch at work: "" is admitted
        self._raises = {path: raise_lines(text) for path, text in request.sources.items()}
        self.formatter = formatter_of(request.root)
        self.taken = taken_names(request.root)
        self.launch = launcher(request, self.note)
        self.explorer = Explorer(request, launch=self.launch.start)
        self.gate = FreshRuns(request, self._fresh)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.explorer.close()
        self.gate.close()
        self.launch.close()

    def _fresh(self, seed: str, zone: str) -> Explorer:
        return Explorer(
            self.request,
            launch=self.launch.start,
            guards=False,
            bare=True,
            preimport=False,
            hash_seed=seed,
            zone=zone,
            timeout=10.0,
        )

    def note(self, text: str) -> None:
        """Keep something that the report should say, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def left(self) -> float:
        """The seconds that may still be spent on exploring; a reserve is kept for the end."""
        reserve = min(self.request.budget * 0.25, 2.0 + 0.15 * len(self.kept))
        if self.kept:
            quiet = time.monotonic() - self._closed_at
            reserve += strength.reserved(
                self.request.budget, quiet, lines_run(self.kept, self.request.added)
            )
        return self.left_in_all - reserve

    @property
    def left_in_all(self) -> float:
        """The seconds of the budget that are left, the reserve included."""
        return self.started + self.request.budget - time.monotonic()

    def explore(self) -> None:
        """Let the engines propose until all gaps are closed, or time or ideas are spent."""
        self.explorer.begin()
        self.gate.begin()
        ready = self.explorer.start()
        for problem in ready.problems:
            self.evidence.note_import(problem)
        for problem in ready.problems[:3]:
            self.note(f"While collecting: {problem.strip().splitlines()[-1][:200]}")
        self.progress.step(
            "watching the nearest tests", done=0, total=len(self.request.gaps), left=self.left
        )
        self.calls = self.explorer.record_calls(
            [(gap.path, gap.symbol) for gap in self.request.gaps],
            timeout=max(2.0, self.request.budget * RECORDING_SHARE),
        )
        waiting = stages_of(self.engines)
        while waiting and self.left > 0:
            stage = waiting.pop(0)
            self._stage(stage, share(self.left, len(waiting)), ready)
            waiting += [[e] for one in stage if isinstance(one, Waiting) for e in one.instead()]

    def _stage(self, engines: Sequence[Engine], keep: float, ready: Ready) -> None:
        """Let these engines work on what is open, until ``keep`` seconds are left."""
        rests = [self.remaining.rest_of(gap) for gap in self.request.gaps]
        request = replace(self.request, gaps=[rest for rest in rests if rest.size])
        for engine in engines:
            if isinstance(engine, Waiting):
                engine.begin(self.left - keep)
        rota = Rota(request, engines, ready, self.calls, self.tries)
        while self.left > keep:
            turn = rota.next_turn(
                self.remaining,
                done=lambda work: self.accidents.are_all_for(work, self.remaining),
            )
            for problem in rota.problems:
                self.note(problem)
            if turn is None:
                return
            self._take(turn, rota)

    def _take(self, turn: Turn, rota: Rota) -> None:
        done = sum(not self.remaining.rest_of(gap).size for gap in self.request.gaps)
        self.progress.step(
            f"{turn.gap.path}: {turn.gap.symbol} ({turn.engine.name})",
            done=done,
            total=len(self.request.gaps),
            left=max(0.0, self.left),
        )
        started = time.monotonic()
        outcomes = self.explorer.run(turn.batch)
        self.tally.tried(turn.engine.name, turn.batch, time.monotonic() - started)
        for candidate, outcome in zip(turn.batch, outcomes, strict=True):
            self.evidence.note(turn.gap, outcome, candidate.technique)
            self.tries.note(turn.gap, candidate, outcome)
            self.pool.offer(candidate, outcome, turn.gap, turn.engine.name)
        self._said.clear()
        self._harvest(turn, outcomes)
        said = [self._said.get(id(candidate)) for candidate in turn.batch]
        answers = [judged(*one) for one in zip(outcomes, said, strict=True)]
        rota.answer(turn, [heard(turn, one, self._is_raise) for one in answers])

    def _harvest(self, turn: Turn, outcomes: Sequence[Outcome]) -> None:
        """Make tests of the outcomes that reached something open, the most promising first."""
        waiting = list(zip(turn.batch, outcomes, strict=True))
        while waiting and self.left > 0:
            ranked = [(self._promise(outcome), i) for i, (_, outcome) in enumerate(waiting)]
            best, position = max(ranked, key=lambda one: (one[0], -one[1]))
            if best[0] <= 0:
                return
            candidate, outcome = waiting.pop(position)
            started = time.monotonic()
            self._admit(candidate, outcome, turn)
            self.tally.spent(turn.engine.name, candidate, time.monotonic() - started)

    def _promise(self, outcome: Outcome) -> tuple[int, int]:
        """Return how much is new, and whether it came without an error."""
        if outcome.status not in {"passed", "failed", "raised"}:
            return (0, 0)
        new: frozenset[object] = self.remaining.new_in(outcome)
        if outcome.status == "raised" and not self._is_raise(*(outcome.raised_at or ("", 0))):
            new -= self.accidents.reached()
        if not new or self._trouble.get(new, 0) >= MAX_TROUBLE:
            return (0, 0)
        return (len(new), 1 if outcome.status == "passed" else 0)

    def _is_raise(self, path: str, line: int) -> bool:
        return line in self._raises.get(path, frozenset())

    def _admit(self, candidate: Candidate, outcome: Outcome, turn: Turn) -> None:
        new: frozenset[object] = self.remaining.new_in(outcome)
        settled = settle(candidate, self.remaining.goal(), self.explorer, self._is_raise)
        if isinstance(settled, Unsettled):
            self.refuse(candidate, turn.gap, turn.engine.name, settled.reason, new)
            return
        verdict = self.gated(settled, turn.gap)
        if isinstance(verdict, Refused) and verdict.reason.startswith(NOT_FRESH):
            held = settle(
                candidate, self.remaining.goal(), self.explorer, self._is_raise,
                elsewhere=self.gate.elsewhere,
            )  # fmt: skip
            if isinstance(held, Settled) and held.candidate != settled.candidate:
                settled, verdict = held, self.gated(held, turn.gap)
        if isinstance(verdict, Refused):
            self.refuse(candidate, turn.gap, turn.engine.name, verdict.reason, new)
            return
        reached = self.remaining.goal().reached(verdict).reached(settled.outcome)
        if not reached.size:
            reason = "reaches nothing new in a fresh process"
            self.refuse(candidate, turn.gap, turn.engine.name, reason, new)
            return
        kept = self.keep(settled, turn.gap, turn.engine.name, verdict)
        if settled.accident:
            self._said[id(candidate)] = "it expects an error that no raise of the code asks for"
            self.accidents.append(kept)
            return
        self._said[id(candidate)] = ""
        self.kept.append(kept)
        self.remaining.close(reached)
        self._closed_at = time.monotonic()

    def gated(self, settled: Settled, gap: Gap) -> Outcome | Refused:
        """Return what the test reached in fresh processes, or why it is not admitted."""
        planned = Planned(settled.candidate, gap.path, gap.symbol)
        single = compose([planned], self.request, self.formatter, self.taken)
        ((name, text),) = single.files.items()
        test = Admission(
            settled.candidate,
            text,
            gap.path,
            gap.symbol,
            settled.reached.lines.get(gap.path, frozenset()),
            settled.reached.arcs.get(gap.path, frozenset()),
        )
        reason = first_rejection(test, self.rules)
        if reason is not None:
            return Refused(reason)
        verdict = self.gate.alone(self.request.target / name, text)
        return verdict if isinstance(verdict, Refused) else verdict.outcome

    def keep(
        self,
        settled: Settled,
        gap: Gap,
        engine: str,
        outcome: Outcome,
        kills: frozenset[Fault] = frozenset(),
    ) -> Kept:
        """Return the test with what it reached in fresh processes, ``outcome``, and here.

        What only a fresh process runs is the doing of a first import and no test's.
        """
        whole = Remaining(self.request.gaps).goal().reached(outcome).reached(settled.outcome)
        return Kept(settled, gap, engine, whole, body_size(settled.candidate), kills)

    def refuse(
        self,
        candidate: Candidate,
        gap: Gap,
        engine: str,
        reason: str,
        new: frozenset[object] = frozenset(),
    ) -> None:
        """Note that a candidate is not admitted; ``new`` is what it would have reached."""
        self._said[id(candidate)] = reason
        self._trouble[new] = self._trouble.get(new, 0) + 1
        self.evidence.note_rejection(gap, reason)
        lines = frozenset(
            one[1]
            for one in new
            if isinstance(one, tuple) and one[0] == gap.path and isinstance(one[1], int)
        )
        self.rejected.append(
            RejectedTest(candidate.name, engine, gap.path, gap.symbol, lines, reason)
        )

    def _sharpen(self) -> None:
        """Spend what is left on assertions and further tests that notice faults."""
        until = time.monotonic() + strength.sharpening(self.request.budget, self.left_in_all)
        if not self.kept or until - time.monotonic() < strength.LEAST_SECONDS:
            return
        self.progress.step("making the new tests stronger", done=0, total=1, left=self.left_in_all)
        try:
            self.kept = make_stronger(self, until)
        except (AipipeError, OSError, KeyboardInterrupt) as error:
            self.note(f"The new tests could not be made stronger: {str(error) or 'interrupted'}")

    def finish(self) -> Result:
        """Thin out what was kept, compose the files, run them together, and report."""
        self.progress.step(
            "running all new tests together", done=0, total=1, left=max(0.0, self.left)
        )
        for one in self.accidents:
            if pieces(self.remaining.goal()) & pieces(one.reached):
                self.kept.append(one)
                self.remaining.close(one.part_of(self.remaining.goal()))
        self._sharpen()
        composed = self._together()
        self.remaining = Remaining(self.request.gaps)
        whole = self.remaining.goal()
        admitted = []
        for one, (file, name, source) in zip(self.kept, composed.places, strict=True):
            admitted.append(one.admitted(whole, file, name, source))
            self.remaining.close(one.part_of(self.remaining.goal()))
        admitted = self._measured(admitted, composed)
        rests = [self.remaining.rest_of(gap) for gap in self.request.gaps]
        return Result(
            admitted=admitted,
            rejected=self.rejected,
            left=[self.evidence.explain(rest) for rest in rests if rest.size],
            files=composed.files,
            techniques=self.tally.rows(admitted),
            mutants=self.mutants,
            notes=self.notes,
        )

    def _measured(self, admitted: list[AdmittedTest], composed: Composed) -> list[AdmittedTest]:
        """Try faults on the tests, where time is left for it."""
        seconds = strength.seconds_for(self.request.budget, self.left_in_all)
        if not admitted or not seconds:
            return admitted
        self.progress.step("trying faults on the new tests", done=0, total=1, left=seconds)
        faults, aside = strength.faults_in(self.request, *ran_by(self.kept))
        try:
            score = strength.try_faults(
                self.request,
                self.launch.sandbox,
                composed.files,
                faults,
                seconds,
            )
        except (AipipeError, OSError, KeyboardInterrupt) as error:
            # The tests are good without it; how strong they are is then not said.
            self.note(f"No faults could be tried on the new tests: {str(error) or 'interrupted'}")
            return admitted
        if score.note:
            self.note(f"While trying faults on the new tests: {score.note.strip()[-200:]}")
        self.mutants = strength.counted(score, aside, self.request.root)
        return strength.with_strength(admitted, score)

    def _together(self) -> Composed:
        """Thin out, compose and run together, until every test that is left passes."""
        for _ in range(TOGETHER_ROUNDS):
            goal = Remaining(self.request.gaps).goal()
            wanted = [one.worth(goal) for one in self.kept]
            chosen = fewest(wanted, [one.size for one in self.kept])
            chosen_tests = [self.kept[i] for i in chosen]
            composed = self._composed(chosen_tests)
            failed = self.gate.together(composed.files)
            if not failed:
                self.kept = chosen_tests
                return composed
            bad = [
                one
                for one, (file, name, _) in zip(chosen_tests, composed.places, strict=True)
                if any(key in failed for key in ((file, name), (file, ""), ("", "")))
            ]
            for one in bad or chosen_tests:
                reason = next(iter(failed.values()))
                self.refuse(one.settled.candidate, one.gap, one.engine, reason)
            self.kept = [
                one for one in self.kept if all(one is not other for other in bad or chosen_tests)
            ]
        self.kept = []
        return self._composed([])

    def _composed(self, tests: Sequence[Kept]) -> Composed:
        planned = [Planned(one.settled.candidate, one.gap.path, one.gap.symbol) for one in tests]
        return compose(planned, self.request, self.formatter, self.taken)
