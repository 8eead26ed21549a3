"""A lane of the watch: one service, what is seen of it, and the judge that it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError
from aipipe_deploy.judge import Arm, Judge, Verdict
from aipipe_deploy.judge.counters import CounterReader
from aipipe_deploy.sources import Latency, MemoryWatch, Probes, PrometheusCounters

if TYPE_CHECKING:
    from aipipe_deploy.judge.counters import Source
    from aipipe_deploy.release.perform import Performer
    from aipipe_deploy.release.samples import Samples
    from aipipe_deploy.targets.unit import Unit

_QUIET_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a lane's ticks are kept; ``began`` is the date at which its watch began."""

    samples: Samples
    service: str
    began: float

    def __post_init__(self) -> None:
        """Begin a row of its own for this watch."""
        self.samples.begin(self.service, self.began)

    def add(self, now: float, old: Arm, new: Arm) -> None:
        """Keep the tick that ends ``now`` seconds into the watch."""
        self.samples.add(self.service, self.began + now, old, new)


@dataclass
class Lane:
    """One service under watch."""

    performer: Performer
    unit: Unit
    judge: Judge
    source: Source | None
    probes: tuple[Probes, Probes] | None
    seen: Seen
    memory: MemoryWatch
    latency: Latency | None = None
    reader: CounterReader = field(default_factory=CounterReader)
    _restarts: int | None = None
    _idle: float = 0.0
    _last: float = 0.0
    _probed: tuple[Arm, Arm] = (Arm(0), Arm(0))

    def __post_init__(self) -> None:
        """Remember how often the containers were started before the watch."""
        self._crash()

    def look(self, now: float, *, containers: bool) -> Verdict | None:
        """Take a tick at ``now`` seconds into the window; perhaps look at the containers too."""
        if self.judge.verdict:
            return self.judge.verdict
        crash = self._crash() if containers else ""
        if self.source is None:
            return self.judge.observe(now, Arm(0), Arm(0), crash)
        reading = self.reader.read(self.source.totals())
        if crash:
            return self.judge.observe(now, Arm(0), Arm(0), crash)
        if reading.tick is None:
            if reading.finding:
                self.judge.note(reading.finding)
            return None
        old, new = reading.tick.old, reading.tick.new
        if self.latency is not None:
            old, new = self.latency.with_slow(old, new)
        old, new = self._with_probes(now, old, new)
        self.seen.add(now, old, new)
        return self.judge.observe(now, old, new)

    def end(self) -> None:
        """Stop the threads that ask; none is waited for, since a way back may be due."""
        self.memory.stop()
        if isinstance(self.source, PrometheusCounters):
            self.source.stop(wait=False)
        for probe in self.probes or ():
            probe.stop(wait=False)

    def _with_probes(self, now: float, old: Arm, new: Arm) -> tuple[Arm, Arm]:
        """Add what the probes saw; they begin when either version stands idle."""
        if self.probes is None:
            return old, new
        busy = old.requests and new.requests
        self._idle = 0.0 if busy else self._idle + now - self._last
        self._last = now
        if self._idle >= _QUIET_SECONDS:
            for probe in self.probes:
                probe.start()
        seen = (self.probes[0].arm, self.probes[1].arm)
        before, self._probed = self._probed, seen
        return (_more(old, before[0], seen[0]), _more(new, before[1], seen[1]))

    def _crash(self) -> str:
        """Return what happened to a container, "" when all is well or nobody can tell."""
        try:
            faults = self.performer.target.faults(self.unit)
        except AipipeError:
            return ""  # the engine does not answer: no fault of the new version's
        if self._restarts is None:
            self._restarts = faults.restarts
        if faults.dead:
            return f"the new version crashed: {faults.dead[0]}"
        if faults.restarts > self._restarts:
            again = faults.restarts - self._restarts
            return f"the new version crashed: {self.unit.name} was started again {again} times"
        return self.memory.finding


def _more(arm: Arm, before: Arm, after: Arm) -> Arm:
    return Arm(
        arm.requests + after.requests - before.requests,
        arm.bad + after.bad - before.bad,
        arm.slow,
    )
