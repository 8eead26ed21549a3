"""The watch: one judge for each service, fed by the proxy's counters, until it is sure."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aipipe_deploy.config import Metrics
from aipipe_deploy.judge import Judge, JudgeSettings, Outcome, Verdict
from aipipe_deploy.judge.dispersion import dispersion
from aipipe_deploy.release.lane import Lane, Seen
from aipipe_deploy.release.samples import Samples
from aipipe_deploy.sources import (
    AnswerLog,
    Latency,
    MemoryWatch,
    Probes,
    PrometheusCounters,
    ProxyCounters,
    runs_before,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aipipe_deploy.config import Watch
    from aipipe_deploy.journal.model import Release
    from aipipe_deploy.judge.counters import Source
    from aipipe_deploy.release.moves import Move
    from aipipe_deploy.release.perform import Performer
    from aipipe_deploy.targets.unit import Unit

_LOOK_SECONDS = 1.0


@dataclass
class Window:
    """Watches by the configuration's numbers; ``clock`` must never jump (monotonic).

    ``samples`` keeps what was seen; ``date`` is the wall clock, for those who read it.
    """

    performer: Performer
    settings: Watch
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    date: Callable[[], float] = time.time
    metrics: Metrics = field(default_factory=Metrics)
    samples: Samples = field(default_factory=Samples)
    record: Path | None = None
    """Where the recorder keeps what served before."""

    def watch(self, release: Release, move: Move) -> Verdict:
        """Judge each changed service of ``move``; the worst verdict is the release's."""
        began = self.clock()
        seconds = float(move.params["seconds"])
        log = AnswerLog(self.performer.proxy.answers)
        lanes = [
            self._lane(release, name, members, seconds, began, log)
            for name, members in move.params["services"].items()
            if release.units[name].release == release.id
        ]
        if any(lane.latency for lane in lanes):
            log.start()
        try:
            return self._until_sure(lanes, began, seconds)
        finally:
            log.stop()
            for lane in lanes:
                lane.end()

    def _until_sure(self, lanes: Sequence[Lane], began: float, seconds: float) -> Verdict:
        looked = began
        while self.clock() - began < seconds and not all(lane.judge.verdict for lane in lanes):
            self.sleep(self.settings.tick)
            now = self.clock() - began
            look = self.clock() - looked >= _LOOK_SECONDS
            if look:
                looked = self.clock()
            for lane in lanes:
                verdict = lane.look(now, containers=look)
                if verdict and verdict.outcome is Outcome.FAIL:
                    return verdict
        return worst([lane.judge.finish() for lane in lanes], self.clock() - began)

    def _lane(
        self,
        release: Release,
        name: str,
        members: list[int],
        seconds: float,
        began: float,
        log: AnswerLog,
    ) -> Lane:
        whole, old = release.units[name], release.before.get(name)
        new = replace(whole, members=tuple(whole.members[index] for index in members))
        judge = Judge(self._judge_settings(seconds, old, release.started))
        source: Source | None = None
        latency: Latency | None = None
        if new.slots:
            latency = Latency(log, name, old=old.slots if old else (), new=new.slots)
            source = ProxyCounters(
                self.performer.proxy.runtime,
                name,
                old=old.slots if old else (),
                new=new.slots,
                clock=lambda: self.clock() - began,
            )
        if self.metrics.url and old:
            source = PrometheusCounters(
                self.metrics,
                old={"service": name, "release": str(old.release)},
                new={"service": name, "release": str(new.release)},
                clock=lambda: self.clock() - began,
            )
            source.start()
        probes: tuple[Probes, Probes] | None = None
        if new.port and old and self.settings.probes:
            probes = (
                Probes(old.members, old.health, rate=self.settings.probes),
                Probes(new.members, new.health, rate=self.settings.probes),
            )
        seen = Seen(self.samples, name, self.date())
        memory = MemoryWatch(self.performer.target, old, new)
        memory.start()
        return Lane(self.performer, new, judge, source, probes, seen, memory, latency)

    def _judge_settings(self, seconds: float, old: Unit | None, started: float) -> JudgeSettings:
        """Return the settings of one lane, with the clumping seen before the release began.

        The record is of failures; nothing is known of how slow answers clumped.
        """
        clumped = 1.0
        if old and self.record:
            clumped = dispersion(runs_before(self.record, old, started))
        return JudgeSettings(
            seconds=max(1.0, seconds),
            warmup=min(self.settings.warmup, seconds),
            dispersion=clumped,
            slow_dispersion=1.0,
        )


def worst(verdicts: Sequence[Verdict], t: float) -> Verdict:
    """Return the verdict of a release by those of its services."""
    if not verdicts:
        return Verdict(Outcome.INCONCLUSIVE, t, "there was nothing to watch")
    for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
        for verdict in verdicts:
            if verdict.outcome is outcome:
                return verdict
    return max(verdicts, key=lambda verdict: verdict.t)
