"""One image from prediction to record, as a visible list of steps."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from aipipe_build.decide.decide import BuildDecision, Decision, decide, installing_stages
from aipipe_build.keys.platform import parse_platform
from aipipe_build.predict.job import Job
from aipipe_build.record.make import Made
from aipipe_build.run.argv import Reproducible, build_command
from aipipe_build.run.deliver import can_retag, retag, take_delivery
from aipipe_build.run.failure import build_failure, lost_layer
from aipipe_build.run.outcome import ImageOutcome, Result
from aipipe_build.run.process import run_and_listen
from aipipe_build.run.progress import Progress
from aipipe_build.run.requests import platform_requests
from aipipe_build.run.stream import DocumentStream
from aipipe_build.secrets import Mask, secret_values
from aipipe_build.verify.compare import MISSES, Agreement, StepOutcome, compare_steps
from aipipe_build.verify.defect import prediction_report, write_report
from aipipe_build.verify.facts import Fact, facts_of, gather_vertexes
from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from aipipe_build.engine.client import EngineClient
    from aipipe_build.predict.model import Prediction
    from aipipe_build.request import BuildRequest
    from aipipe_build.run.argv import Command
    from aipipe_build.run.process import Ended


@dataclass(frozen=True, slots=True)
class Place:
    """What stands around a run."""

    current: Path
    run_folder: Path
    engine: EngineClient
    environ: Mapping[str, str]
    out: TextIO | None
    versions: Mapping[str, str] = field(default_factory=dict)
    engine_id: str = ""
    epoch: int | None = None
    """The time stamp of reproducible images, None for images as they come."""
    at_least: str = ""
    """The decision that an image which changed is raised to."""
    records: Path | None = None
    """Where records lie, None for where they lie for those who work in ``current``."""


class ImageJob:
    """One image, with the options that ``docker build`` would take for it."""

    def __init__(self, name: str, options: argparse.Namespace, place: Place) -> None:
        self.options = options
        self.place = place
        self.requests = platform_requests(options, dict(place.environ))
        first = self.requests[0]
        secrets = secret_values(options.secret or [], first.build_args, place.environ)
        self.mask = Mask(secrets)
        self.outcome = ImageOutcome(
            name=name,
            context=str(first.context),
            dockerfile=str(first.dockerfile),
            target=first.target,
            builder=first.builder,
            platforms=tuple(request.platform for request in self.requests if request.platform),
            tags=tuple(options.tag or ()),
        )
        self.jobs: list[Job] = []
        self.fingerprints: list[tuple[str, ...]] = []

    def open(self) -> None:
        """Read the Dockerfile, the context and the record. Raises what a wrong one raises."""
        self.jobs = [self._job(request) for request in self.requests]
        self.fingerprints = [job.fingerprint() for job in self.jobs]

    def _job(self, request: BuildRequest) -> Job:
        where = self.place.records or self.place.current
        job = Job.open(request, current=where, engine=self.place.engine)
        job.history = job.history.of_engine(self.place.engine_id)
        return job

    def images(self) -> set[str]:
        """Return the full references of the images that this one stands on or copies from."""
        found: set[str] = set()
        for job in self.jobs:
            graph = job.graph(job.dockerfile(), merges=True, for_record=False)
            found |= set(graph.images)
        return found

    def predict(self) -> tuple[list[Prediction], BuildDecision]:
        """Predict every platform; the decision is the one that asks for most."""
        predictions = [job.predict() for job in self.jobs]
        decisions = [decide(prediction) for prediction in predictions]
        order = list(Decision)
        worst = max(decisions, key=lambda one: order.index(one.decision))
        self.outcome.decision = str(worst.decision)
        self.outcome.reason = worst.reason
        self.outcome.predicted_saves = round(sum(one.saves_seconds for one in decisions), 3)
        self.outcome.predicted_seconds = round(sum(one.costs_seconds for one in decisions), 3)
        self.outcome.warnings += [text for one in predictions for text in one.warnings]
        return predictions, worst

    def run(self) -> ImageOutcome:
        """Do what the decision says. Raises :class:`AipipeError` for a build that failed."""
        started = time.monotonic()
        predictions, decision = self._insist(*self.predict())
        try:
            if decision.decision is Decision.SKIP and self._retag(predictions):
                self.outcome.result = Result.RETAGGED
            else:
                self._build(predictions)
        except AipipeError as error:
            self.outcome.result = Result.FAILED
            self.outcome.error = self.mask(str(error))
            raise
        finally:
            self.outcome.seconds = round(time.monotonic() - started, 3)
        return self.outcome

    def _insist(
        self, predictions: list[Prediction], decision: BuildDecision
    ) -> tuple[list[Prediction], BuildDecision]:
        """Switch the cache off as far as more has to be built than the prediction asks for."""
        order = list(Decision)
        wanted = Decision(self.place.at_least or Decision.SKIP)
        if decision.decision is Decision.SKIP or order.index(decision.decision) >= order.index(
            wanted
        ):
            return predictions, decision
        stages = installing_stages(self.jobs[0].dockerfile())
        if wanted is Decision.DEPENDENCIES and stages and all(stages):
            self.options.no_cache_filter = [*self.options.no_cache_filter, *stages]
        elif wanted is not Decision.CACHED:
            self.options.no_cache = True
        self.requests = platform_requests(self.options, dict(self.place.environ))
        self.open()
        self.outcome.predicted_saves = self.outcome.predicted_seconds = 0.0
        self.outcome.warnings.clear()
        predictions, raised = self.predict()
        self.outcome.decision = str(wanted)
        self.outcome.reason = f"{decision.reason}; at least {wanted} was asked for"
        return predictions, raised

    def _retag(self, predictions: list[Prediction]) -> bool:
        images = {prediction.image for prediction in predictions}
        image = images.pop() if len(images) == 1 else ""
        # Whether the one that is there bears the right times is not on record.
        if self.place.epoch is not None:
            return False
        if not can_retag(image, self.options, self.place.engine):
            return False
        retag(image, self.options, self.place.current)
        self.outcome.image = image
        return True

    def _build(self, predictions: list[Prediction]) -> None:
        with tempfile.TemporaryDirectory(prefix="aipipe-build-") as name:
            metadata = Path(name, "metadata.json")
            how = self._reproducible(Path(name, "image.tar"))
            request = self.requests[0]
            command = build_command(
                self.options,
                builder=request.builder,
                context=request.context,
                dockerfile=request.dockerfile,
                metadata=metadata,
                reproducible=how,
            )
            ended, facts, words = self._listen(command)
            if ended.code and lost_layer(words, facts):
                self.outcome.warnings.append(
                    "the engine lost a layer while it was being used: it was asked once more"
                )
                ended, again, words = self._listen(command)
                facts = told_first(facts, again)
            self.outcome.steps = [
                replace(step, instruction=self.mask(step.instruction), cause=self.mask(step.cause))
                for step in self._compare(predictions, facts)
            ]
            if ended.code:
                raise build_failure(words, facts, mask=self.mask, signal=ended.signal)
            self.outcome.image = take_delivery(self.options, metadata, how, self.place.current)
        self.outcome.result = Result.BUILT
        self._report_misses()
        self._record(facts)

    def _reproducible(self, archive: Path) -> Reproducible | None:
        if self.place.epoch is None:
            return None
        direct = self.options.push and self.requests[0].builder != "default"
        return Reproducible(self.place.epoch, None if direct else archive)

    def _listen(self, command: Command) -> tuple[Ended, list[Fact], list[str]]:
        stream = DocumentStream()
        vertexes: dict[str, dict[str, Any]] = {}
        style = (self.options.progress or ["auto"])[-1]
        out = None if self.options.quiet or style in ("quiet", "none") else self.place.out
        progress = Progress(out, self.mask, verbose=style == "plain")

        def listen(line: str) -> None:
            if style == "rawjson" and out is not None:
                out.write(self.mask(line))
            document = stream.feed(line)
            if document is not None:
                gather_vertexes([document], vertexes)
                if style != "rawjson":
                    progress.take(document)

        ended = run_and_listen(command, self.place.current, listen)
        return ended, facts_of(vertexes), stream.words

    def _compare(self, predictions: list[Prediction], facts: list[Fact]) -> list[StepOutcome]:
        recorded = any(job.history.states for job in self.jobs)
        if len(predictions) == 1:
            return compare_steps(predictions[0].steps, facts, recorded=recorded)
        found: list[StepOutcome] = []
        for request, prediction in zip(self.requests, predictions, strict=True):
            own = [fact for fact in facts if _is_for(fact, request.platform)]
            found += compare_steps(prediction.steps, own, recorded=recorded, shared=facts)
        return found

    def _report_misses(self) -> None:
        """Leave a report to paste where the prediction was wrong."""
        if not any(step.agreement in MISSES for step in self.outcome.steps):
            return
        names = [
            f"--{name.replace('_', '-')}" for name, value in vars(self.options).items() if value
        ]
        text = prediction_report(
            self.outcome.steps,
            dockerfile=self.requests[0].dockerfile.read_text("utf-8", errors="replace"),
            versions=self.place.versions,
            options=names,
            mask=self.mask,
        )
        try:
            self.outcome.defects.append(str(write_report(self.place.run_folder, text)))
        except OSError as error:
            self.outcome.warnings.append(f"a defect report cannot be written: {error.strerror}")

    def _record(self, facts: list[Fact]) -> None:
        """Record what was built, unless the files moved while it was: then nobody knows what."""
        seconds = {fact.instruction: fact.seconds for fact in facts if fact.seconds is not None}
        lost = any(step.agreement is Agreement.FALSE_HIT for step in self.outcome.steps)
        try:
            jobs = [self._job(request) for request in self.requests]
            if [job.fingerprint() for job in jobs] != self.fingerprints:
                self.outcome.warnings.append(
                    "files or base images changed while it was built: nothing was recorded"
                )
                return
            for index, job in enumerate(jobs):
                alone = lost and index == 0
                job.record(seconds, Made(self.outcome.image, self.place.engine_id, alone=alone))
        except AipipeError as error:
            self.outcome.warnings.append(f"it was built, and not recorded: {error}")
            return
        self.outcome.recorded = True


def told_first(facts: list[Fact], again: list[Fact]) -> list[Fact]:
    """Return the facts of a second try, those steps that the first one finished as it told them.

    What the first one ran is cached for the second: that says nothing of the prediction. Steps
    of a stage that say the same are told apart by their order.
    """
    told: dict[tuple[str, str, str], list[Fact]] = {}
    for one in facts:
        told.setdefault((one.platform, one.stage, one.instruction), []).append(one)
    found = []
    for one in again:
        first = told.get((one.platform, one.stage, one.instruction))
        before = first.pop(0) if first else one
        found.append(one if before.error else before)
    return found


def _is_for(fact: Fact, wanted: str) -> bool:
    """Tell whether a fact belongs to a platform; ``linux/amd64->arm64`` builds for the latter."""
    shown = fact.platform
    if "->" in shown:
        before, _, after = shown.partition("->")
        shown = after if "/" in after else f"{before.partition('/')[0]}/{after}"
    return bool(shown) and parse_platform(shown) == parse_platform(wanted)
