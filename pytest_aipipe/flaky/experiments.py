"""Turn one knob while all others are held, and see which verdicts turn with it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe_core.errors import SurroundingsError
from pytest_aipipe.flaky.sweeps import screens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_aipipe.flaky.lab import Bench, Lab
    from pytest_aipipe.flaky.sweeps import Setting
    from pytest_aipipe.flaky.verdict import Verdict

CONFIRMATIONS = 2
"""Reruns that a turned verdict has to survive before it counts."""
SCHEDULE_TRIES = 5
ENOUGH = 3
"""Settings of one cause that turn a verdict; more say nothing new."""


@dataclass(slots=True)
class Baseline:
    """The verdicts of one test with everything pinned."""

    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def steady(self) -> bool:
        """Whether the verdict was always the same."""
        return len({one.bad for one in self.verdicts}) == 1

    @property
    def bad(self) -> bool:
        """The verdict of the first run."""
        return self.verdicts[0].bad

    @property
    def touched(self) -> dict[str, object]:
        """Whatever any of the runs touched."""
        merged: dict[str, object] = {}
        for one in self.verdicts:
            merged.update({k: v for k, v in one.touched.items() if v or k not in merged})
        return merged


@dataclass(frozen=True, slots=True)
class Hit:
    """A setting that turns a test's verdict: in ``turned`` of ``runs`` runs."""

    setting: Setting
    turned: int
    runs: int
    example: Verdict  # a failing one, whichever side fails


class Experiments:
    """Runs settings over tests. ``late`` says when the time is up."""

    def __init__(self, lab: Lab, late: Callable[[], bool], say: Callable[[str], None]) -> None:
        self.lab, self.late, self.say = lab, late, say
        self.base: dict[str, Baseline] = {}
        self.hits: dict[str, list[Hit]] = defaultdict(list)
        self.turned: set[str] = set()

    def baseline(self, bench: Bench, tests: Iterable[str], runs: int = 3) -> None:
        """Run each test alone with everything pinned."""
        for nodeid in tests:
            known = self.base.setdefault(nodeid, Baseline())
            known.verdicts += [bench.alone(nodeid) for _ in range(runs)]

    def screen(self, bench: Bench) -> None:
        """Turn many knobs at once; only where a verdict turns they are worth a look each."""
        for number, knobs in enumerate(screens()):
            self.say(f"screen {number + 1}")
            for nodeid, base in self.base.items():
                if self.late():
                    return
                if nodeid not in self.turned and bench.alone(nodeid, **knobs).bad != base.bad:
                    self.turned.add(nodeid)

    def sweep(self, pinned: Bench, settings: Iterable[Setting]) -> None:
        """Run every setting over every test that it can concern."""
        for setting in settings:
            if self.late():
                return
            tests = [nodeid for nodeid in self.base if self._wanted(nodeid, setting)]
            if not tests:
                continue
            self.say(setting.words)
            if setting.condition is None:
                self._over(pinned, setting, tests)
                continue
            try:
                with self.lab.start(setting.condition) as bench:
                    have = set(bench.collected)
                    self._over(bench, setting, [one for one in tests if one in have])
            except SurroundingsError:
                continue  # the project cannot even be collected so; that says nothing of a test

    def _wanted(self, nodeid: str, setting: Setting) -> bool:
        base = self.base[nodeid]
        if not base.steady or (setting.screened and nodeid not in self.turned):
            return False
        known = [hit for hit in self.hits[nodeid] if hit.setting.cause == setting.cause]
        return len(known) < ENOUGH and setting.applies(base.touched)

    def _over(self, bench: Bench, setting: Setting, tests: list[str]) -> None:
        for nodeid in tests:
            if self.late():
                return
            hit = self.one(bench, setting, nodeid)
            if hit is not None:
                self.hits[nodeid].append(hit)

    def one(self, bench: Bench, setting: Setting, nodeid: str) -> Hit | None:
        """Run a setting over one test; a turned verdict has to turn again."""
        base = self.base[nodeid]
        first = trial(bench, setting, nodeid)
        if first is None or first.bad == base.bad:
            return None
        if first.outcome == "timeout" and setting.schedule:
            return None
        verdicts = [first]
        tries = SCHEDULE_TRIES if setting.schedule else CONFIRMATIONS
        for _ in range(tries):
            again = trial(bench, setting, nodeid)
            if again is not None:
                verdicts.append(again)
        turned = [one for one in verdicts if one.bad != base.bad]
        if len(turned) < (2 if setting.schedule else len(verdicts)):
            return None
        example = first if first.bad else base.verdicts[0]
        return Hit(setting, len(turned), len(verdicts), example)


def trial(bench: Bench, setting: Setting, nodeid: str) -> Verdict | None:
    """Run one test once under a setting; None where the setting could not be made."""
    knobs = {} if setting.condition is not None else dict(setting.knobs)
    if not setting.twice:
        return bench.alone(nodeid, **knobs)
    first = bench.run([nodeid], keep=True, **knobs).verdicts[0]
    second = bench.run([nodeid], **knobs).verdicts[0]
    return None if first.bad else second
