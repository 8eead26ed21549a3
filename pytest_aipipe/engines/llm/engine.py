"""The model engine: asks, has the tests tried, sends the gate's reasons back, gives up in time.

It proposes like any engine and passes the same gate. What it yields was read by the screen
first, and is marked as untrusted, so that it never runs outside the sandbox.
"""

from __future__ import annotations

import ast
import threading
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax
from aipipe_core.llm import ModelError
from pytest_aipipe.engines.llm import question
from pytest_aipipe.engines.llm.answer import Unreadable, candidates_in
from pytest_aipipe.engines.llm.later import Later
from pytest_aipipe.engines.llm.question import Verdict
from pytest_aipipe.engines.llm.screen import screened
from pytest_aipipe.engines.llm.verdicts import tries, verdict
from pytest_aipipe.engines.situation import Situation

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from aipipe_core.change.model import Hunk
    from aipipe_core.llm import Ask, Client
    from pytest_aipipe.generate.model import Candidate, Engine, Gap, Outcome, Scene

    Proposals = Generator[Sequence[Candidate], Sequence[Outcome], None]

ROUNDS = 3
"""Answers a gap may have: the first, and two that follow a rejection."""

FAILURES = 3
"""Calls that may fail one after the other before the model is left alone."""


AGAIN = "The model is not asked again"


class ModelEngine:
    """Proposes what a model writes. ``notes`` says what went wrong, for the report.

    ``send`` is ``diff`` or ``signatures``; ``hunks`` are the change's, by path; ``fallback``
    are the engines that go on where the model could not be asked at all.
    """

    name = "llm"

    def __init__(
        self,
        client: Client,
        *,
        send: str = "diff",
        hunks: Mapping[str, Sequence[Hunk]] | None = None,
        fallback: Sequence[Engine] = (),
        parallel: int = 4,
    ) -> None:
        self.client = client
        self.send = send
        self.notes: list[str] = []
        self.counts: Counter[str] = Counter()
        self.expected: list[str] = []
        self._hunks = hunks or {}
        self._fallback = fallback
        self._gate = threading.Semaphore(parallel)
        self._until = 0.0
        self._failed = 0  # calls in a row
        self._closed: str = ""  # the slug for which the model is not asked again

    def begin(self, seconds: float) -> None:
        """See :class:`pytest_aipipe.generate.stages.Waiting`."""
        self._until = time.monotonic() + seconds

    def instead(self) -> Sequence[Engine]:
        """Return the fallback where not one question was answered."""
        return self._fallback if self._closed and not self.counts["answers"] else ()

    def propose(self, gap: Gap, scene: Scene) -> Proposals:
        """Ask about ``gap`` at once; yield what comes when it comes."""
        situation = Situation.of(gap, scene)
        if situation is None:
            return _nothing()
        ask = question.first(
            situation, send=self.send, hunks=self._hunks.get(gap.path, ()), tried=tried(situation)
        )
        self.counts["gaps"] += 1
        return self._proposals(situation, ask, self._later(ask))

    def _later(self, ask: Ask) -> Later:
        return Later(partial(self._asked, ask), self._gate)

    def _asked(self, ask: Ask) -> Any:
        if self._closed:
            raise ModelError(self._closed, AGAIN, lasting=True)
        return self.client.ask(ask, seconds=max(0.0, self._until - time.monotonic()))

    def _proposals(self, situation: Situation, ask: Ask, later: Later) -> Proposals:
        for number in range(1, ROUNDS + 1):
            while not later.ready:
                yield ()
            if later.answer is None:
                self._failure(later.error)
                return
            self._failed = 0
            self.counts["answers"] += 1
            self.counts[f"round {number}"] += 1
            text = later.answer.text
            verdicts = yield from self._tried(situation, text)
            if situation.closed or number == ROUNDS:
                return
            ask = question.again(ask, text, verdicts, situation)
            later = self._later(ask)

    def _tried(
        self, situation: Situation, text: str
    ) -> Generator[Sequence[Candidate], Sequence[Outcome], list[Verdict]]:
        """Yield the tests of an answer; return what became of each."""
        verdicts: list[Verdict] = []
        try:
            found = candidates_in(text)
        except Unreadable as error:
            self.counts["unreadable"] += 1
            return [Verdict("the answer", str(error))]
        own = {situation.gap.module.partition(".")[0]}
        fit: list[Candidate] = []
        for candidate in found:
            reason = screened(candidate, own=own, known=known_modules(situation))
            if reason:
                self.counts["screened out"] += 1
                verdicts.append(Verdict(candidate.name, reason))
            else:
                fit.append(candidate)
        if fit:
            outcomes = yield fit
            for candidate, outcome in zip(fit, outcomes, strict=True):
                verdicts.append(verdict(situation, candidate, outcome))
                if outcome.admitted:
                    situation.learn(outcome)
        return verdicts

    def judged(self, batch: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        """Count what became of an answer's tests; say where the model expected something else."""
        self.counts["answers admitted"] += any(one.admitted for one in outcomes)
        for candidate, outcome in zip(batch, outcomes, strict=True):
            self.counts["tests"] += 1
            self.counts["tests admitted"] += outcome.admitted
            if outcome.admitted and outcome.status == "failed":
                self.notes.append(
                    f"The model expected otherwise in {candidate.name} "
                    f"({' '.join(outcome.detail.split())[:200]}). The test has what the code "
                    "gives: see which is right."
                )

    def _failure(self, error: Exception | None) -> None:
        """Note why there is no answer, and stop asking where the next call would fail too."""
        if isinstance(error, ModelError):
            if error.what != AGAIN:
                self.notes.append(" ".join(str(error).split()))
            if error.slug == "model-preview":
                return  # nothing failed: the next question is to be shown as well
            self._failed += 1
            if error.lasting:
                self._closed = error.slug
            elif self._failed >= FAILURES and not self._closed:
                self._closed = error.slug
                self.notes.append(f"The model failed {FAILURES} times in a row: not asked again.")
        else:
            self.notes.append(f"The model engine failed: {error!r}")


def _nothing() -> Proposals:
    yield from ()


def known_modules(situation: Situation) -> frozenset[str]:
    """Return the top-level names that the project's own nearest tests import."""
    found: set[str] = set()
    for path in {test.source_path for test in situation.tests[:8]}:
        try:
            tree = syntax.parse(situation.scene.test_sources.get(path, ""))
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return frozenset(found)


def tried(situation: Situation) -> str:
    """Return the nearest tries of the engines that were asked before, as far as they are known."""
    best = sorted(
        situation.scene.tries,
        key=lambda one: -situation.nearness(one[1].lines.get(situation.gap.path, frozenset())),
    )
    return tries(situation, best[:1])
