"""The hunt: every test under every experiment that can concern it, as far as the time goes."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_aipipe.flaky import order as ordering
from pytest_aipipe.flaky.causes import RANK, Cause, is_offline, of_schedule, refine
from pytest_aipipe.flaky.child.clock import WITHOUT, can_turn
from pytest_aipipe.flaky.condition import natural, pinned
from pytest_aipipe.flaky.experiments import Experiments, Hit
from pytest_aipipe.flaky.finding import Finding
from pytest_aipipe.flaky.interval import interval
from pytest_aipipe.flaky.sequential import FLAKY, STEADY, Sequential
from pytest_aipipe.flaky.sweeps import HASH_SEEDS, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_aipipe.flaky.lab import Bench, Lab
    from pytest_aipipe.flaky.verdict import Verdict

PER_PROCESS = 3
"""Natural reruns in each of the fresh processes, of which each has another hash seed."""
LEAST = 0.15
"""The failure rate from which a test that was only rerun counts as flaky."""
SHUFFLES = 8
SCREENS, RERUNS, SWEEP, ORDERS = 0.2, 0.45, 0.65, 0.85
"""The shares of a limited time after which each step makes way for the next; mends are last."""


@dataclass(slots=True)
class Hunt:
    """One hunt over ``tests``. ``run`` takes the steps; what is found stays here."""

    lab: Lab
    tests: Sequence[str]
    neighbours: Sequence[str] = ()
    """The tests among which orders are tried; empty for ``tests`` alone."""
    seconds: float | None = None
    say: Callable[[str], None] = lambda _: None
    known: dict[str, str] = field(default_factory=dict)
    """Tests that are flaky whatever the experiments say, with what showed it."""
    found: dict[str, Finding] = field(default_factory=dict)
    reruns: dict[str, Sequential] = field(default_factory=dict)
    failures: dict[str, Verdict] = field(default_factory=dict)
    orders_bad: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)  # files that lost a mark
    experiments: Experiments = field(init=False)
    _begun: float = field(default_factory=time.monotonic)
    _cut: bool = False
    _share: float = 1.0

    def __post_init__(self) -> None:
        self.experiments = Experiments(self.lab, self.late, self.say)

    def late(self) -> bool:
        """Whether the time is up for the step that is being taken."""
        spent = time.monotonic() - self._begun
        over = self.seconds is not None and spent > self.seconds * self._share
        self._cut |= over
        return over

    def run(self) -> list[Finding]:
        """Return the flaky tests, in the order of the tests."""
        condition = pinned(time.time())
        with self.lab.start(condition) as bench:
            self.tests = [one for one in self.tests if one in set(bench.collected)]
            self.say("everything pinned")
            self.experiments.baseline(bench, self.tests)
            self._share = SCREENS
            self.experiments.screen(bench)
            self._share = RERUNS
            self._natural()
            self._share = SWEEP
            self.experiments.sweep(
                bench, settings(condition, bench.at_import, self.lab.workplace.scratch)
            )
            self._attribute()
            self._share = ORDERS
            self._orders(bench)
        self._share = 1.0
        self._rest()
        if not can_turn():
            self.notes.append(WITHOUT)
        if self._cut:
            self.notes.append("The time for the hunt was up before every experiment was done.")
        for nodeid, finding in self.found.items():
            finding.runs, finding.failures = self.lab.runs[nodeid], self.lab.failures[nodeid]
            known = self.reruns.get(nodeid)
            finding.natural = (known.failures, known.runs) if known else (0, 0)
            outside = self.lab.workplace.outside
            finding.evidence = [outside(words) for words in finding.evidence]
        return [self.found[nodeid] for nodeid in self.tests if nodeid in self.found]

    def _attribute(self) -> None:
        for nodeid in self.tests:
            hits = self.experiments.hits.get(nodeid)
            base = self.experiments.base[nodeid]
            if hits:
                self.found[nodeid] = attributed(nodeid, hits)
            elif base.steady and base.bad and is_offline(base.verdicts[0]):
                hosts = ", ".join(base.verdicts[0].touched["hosts"])
                told = f"fails here and needs {hosts}, which does not answer"
                self.found[nodeid] = Finding(
                    nodeid, Cause.NETWORK, [told], failure=base.verdicts[0]
                )

    def _orders(self, bench: Bench) -> None:
        base = self.experiments.base
        held = [one for one in self.tests if one not in self.found and base[one].steady]
        turned: dict[str, list[str]] = {}
        longest: dict[str, list[str]] = {}
        for name, order in ordering.orders(self.neighbours or self.tests, SHUFFLES):
            if self.late():
                break
            self.say(f"all tests {name}")
            outcome = bench.run(order)
            for place, verdict in enumerate(outcome.verdicts):
                nodeid = verdict.nodeid
                if nodeid in held and not outcome.trouble and verdict.bad != base[nodeid].bad:
                    self.orders_bad[nodeid] += 1
                    if place < len(turned.get(nodeid, order)):
                        turned[nodeid] = order[:place]
                    if place > len(longest.get(nodeid, ())):
                        longest[nodeid] = order[:place]
        for nodeid, before in turned.items():
            if self.late():
                break
            self.say(f"who pollutes {nodeid}")
            self._pollution(bench, nodeid, before, longest[nodeid])

    def _pollution(self, bench: Bench, nodeid: str, before: list[str], longest: list[str]) -> None:
        base = self.experiments.base[nodeid]
        bad = not base.bad
        fewest = ordering.bisect(bench, nodeid, before, bad=bad, late=self.late)
        if not fewest or bench.alone(nodeid).bad == bad:
            return
        pollution = ordering.explain(bench, nodeid, fewest, bad=bad)
        pollution = replace(pollution, among=tuple(longest))
        double = any(row.get("double") for row in pollution.changed)
        last = bench.run([*fewest, nodeid]).of(nodeid)
        self.found[nodeid] = Finding(
            nodeid,
            Cause.DOUBLE if double else Cause.ORDER,
            ordering.words(pollution, base.verdicts),
            failure=last if bad else base.verdicts[0],
            pollution=pollution,
        )

    def _natural(self) -> None:
        """Rerun every test with nothing pinned until its sequential test is decided."""
        for nodeid in self.tests:
            self.reruns[nodeid] = Sequential(LEAST)
        for seed in HASH_SEEDS:
            open_ = [one for one in self.tests if self.reruns[one].verdict != STEADY]
            if self.late() or not open_:
                return
            self.say(f"as it is, with hash seed {seed}")
            with self.lab.start(natural(seed)) as bench:
                for nodeid in open_:
                    if self.late():
                        return
                    for _ in range(PER_PROCESS):
                        self._rerun(bench, nodeid)

    def _rerun(self, bench: Bench, nodeid: str) -> None:
        verdict = bench.alone(nodeid)
        if verdict.bad:
            self.failures[nodeid] = verdict
        self.reruns[nodeid].tell(bad=verdict.bad)
        if verdict.bad != self.experiments.base[nodeid].bad:
            self.experiments.turned.add(nodeid)

    def _rest(self) -> None:
        """Report what changes its verdict although no experiment says why."""
        for nodeid in self.tests:
            known, base = self.reruns.get(nodeid), self.experiments.base[nodeid]
            if nodeid in self.found:
                if nodeid in self.known:
                    self.found[nodeid].evidence.append(self.known[nodeid])
                continue
            outcomes = {one.bad for one in base.verdicts}
            mixed = not base.steady
            if nodeid in self.known:
                told = [self.known[nodeid], "no experiment turned its verdict"]
                self.found[nodeid] = Finding(nodeid, Cause.UNKNOWN, told)
                continue
            if known is not None and known.runs:
                if base.steady and base.bad and not known.failures:
                    # It may be the laboratory itself that it does not stand: its slowness.
                    self.notes.append(
                        f"{nodeid} fails with everything pinned and passes as it is "
                        f"({known.runs} of {known.runs}); that alone does not make it flaky."
                    )
                    continue
                outcomes |= {True} if known.failures else set()
                outcomes |= {False} if known.failures < known.runs else set()
                mixed |= known.verdict == FLAKY and known.failures < known.runs
            if not mixed and len(outcomes) < 2:  # noqa: PLR2004 - both verdicts
                continue
            bad = next((one for one in base.verdicts if one.bad), self.failures.get(nodeid))
            if bad is None or (known is not None and known.failures == known.runs > 0):
                continue
            self.found[nodeid] = unexplained(nodeid, bad, mixed=not base.steady)


def attributed(nodeid: str, hits: list[Hit]) -> Finding:
    """Return the finding that the hits make, the cause being the one that explains most."""
    by_cause: dict[Cause, list[Hit]] = {}
    for hit in hits:
        cause = of_schedule(hit.example) if hit.setting.schedule else hit.setting.cause
        by_cause.setdefault(cause, []).append(hit)
    first = _narrowest(by_cause)
    chosen = by_cause[first]
    others = [hit for hit in hits if hit not in chosen]
    evidence = [
        f"with everything else held, the verdict turns with {hit.setting.words} "
        f"({hit.turned} of {hit.runs})"
        for hit in chosen
    ]
    failure = chosen[0].example
    cause = refine(first, failure)
    return Finding(
        nodeid, cause, [*evidence, *_shown(failure)],
        settings=[hit.setting for hit in [*chosen, *others]], failure=failure,
        provoked=min(map(_rate, by_cause.values()), key=lambda rate: interval(*rate)[0]),
    )  # fmt: skip


def _narrowest(by_cause: Mapping[Cause, list[Hit]]) -> Cause:
    """Return the cause that explains most.

    A zone turns a verdict at any time of the day. Where the clock turns it only when two readings
    lie on both sides of a midnight, the zone says more.
    """
    clock = by_cause.get(Cause.CLOCK, [])
    if Cause.TIME_ZONE in by_cause and all(hit.setting.straddles for hit in clock):
        by_cause = {cause: rows for cause, rows in by_cause.items() if cause != Cause.CLOCK}
    return min(by_cause, key=RANK.index)


def _rate(hits: list[Hit]) -> tuple[int, int]:
    return sum(hit.turned for hit in hits), sum(hit.runs for hit in hits)


def unexplained(nodeid: str, bad: Verdict, *, mixed: bool) -> Finding:
    """Return the finding for a verdict that changes with nothing that was turned."""
    touched = bad.touched
    if not mixed:
        cause, told = Cause.UNKNOWN, "fails in some runs and in none with everything pinned"
    elif touched.get("loops") or touched.get("threads") or touched.get("processes"):
        cause = of_schedule(bad)
        told = "with hash seed, chance, time and zone pinned it still passes and fails"
    elif touched.get("clock") or touched.get("timers"):
        cause = Cause.CLOCK
        told = "with hash seed and chance pinned it still passes and fails, and it reads a clock"
    elif touched.get("hosts") or touched.get("written"):
        cause = Cause.UNKNOWN
        told = "with hash seed, chance, time and zone pinned it still passes and fails"
    else:
        cause = Cause.UNORDERED
        told = (
            "with hash seed, chance, time and zone pinned it still passes and fails, and it uses "
            "nothing else that differs between two runs but the addresses of objects"
        )
    return Finding(nodeid, refine(cause, bad), [told, *_shown(bad)], failure=bad)


def _shown(failure: Verdict) -> list[str]:
    line = failure.detail.strip().splitlines()
    kind = failure.compare.get("kind")
    name = failure.types[0] if failure.types else failure.outcome
    told = [f"it fails with {name}: {line[0][:160]}"] if line else []
    if kind == "order":
        told.append("both sides hold the same elements in another order")
    elif kind == "float":
        told.append("both sides differ by less than a millionth")
    return told
