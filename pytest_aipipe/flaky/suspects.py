"""Suspects: failures that the change cannot have caused, rerun before anybody is blamed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_aipipe.flaky.condition import natural
from pytest_aipipe.flaky.sequential import smallest_rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aipipe_core.change.model import Change
    from pytest_aipipe.flaky.lab import Lab
    from pytest_aipipe.measure.trace import Trace

MISS = 0.05
SECONDS = 60.0
"""For the reruns of all suspects: where a surrounding is missing, hundreds fail at once."""
FEW = 5


@dataclass(slots=True)
class Rerun:
    """One suspect's reruns: it failed in the session; a single pass shows that it is flaky."""

    nodeid: str
    why: str
    runs: int = 0
    passes: int = 0

    @property
    def words(self) -> str:
        """What the reruns say, with their error rate."""
        if self.passes:
            return f"{self.nodeid} ({self.why}) passed in rerun {self.runs}: it is flaky."
        share = 100 * smallest_rate(self.runs, MISS)
        return (
            f"{self.nodeid} ({self.why}) failed in all {self.runs} reruns: a test that passes in "
            f"{share:.0f} % of its runs would have passed once with a probability of 95 %."
        )


@dataclass(slots=True)
class Suspects:
    """Who is suspected, and why."""

    reasons: dict[str, str] = field(default_factory=dict)

    def outside(self, failed: Iterable[str], trace: Trace, change: Change) -> None:
        """Suspect the failures that ran no changed line."""
        lines = {file.path: set(file.changed_lines) for file in change.files}
        for nodeid in failed:
            path = nodeid.partition("::")[0]
            ran = trace.get(nodeid, {})
            hit = any(
                lines.get(file, set()) & {abs(n) for arc in arcs for n in arc}
                for file, arcs in ran.items()
            )
            own = any(name == path or name.endswith(f"/{path}") for name in lines)
            if not hit and not own:
                self.reasons.setdefault(nodeid, "ran no changed line")

    def earlier(self, changed: Mapping[str, str], failed: Iterable[str]) -> None:
        """Suspect the failures that history has seen pass with the same causes."""
        for nodeid in failed:
            if nodeid in changed:
                self.reasons[nodeid] = changed[nodeid]


def rerun(
    lab: Lab, suspects: Mapping[str, str], most: int, seconds: float = SECONDS
) -> list[Rerun]:
    """Rerun the suspects in turn until each passes: ``most`` times, ``seconds`` in all at most."""
    found = [Rerun(nodeid, why) for nodeid, why in suspects.items()]
    if not found or not most:
        return []
    until = time.monotonic() + seconds
    with lab.start(natural(1)) as bench:
        known = set(bench.collected)
        waiting = [one for one in found if one.nodeid in known]
        while waiting and time.monotonic() < until:
            for one in waiting:
                if time.monotonic() < until:
                    one.passes += not bench.alone(one.nodeid).bad
                    one.runs += 1
            waiting = [one for one in waiting if one.runs < most and not one.passes]
    return [one for one in found if one.runs]


def told(reruns: Sequence[Rerun]) -> list[str]:
    """Return what reruns say; many tests that failed in all of theirs are one sentence."""
    failed = [one for one in reruns if not one.passes]
    if len(failed) <= FEW:
        return [one.words for one in reruns]
    named = ", ".join(one.nodeid for one in failed[:FEW])
    runs = sorted({one.runs for one in failed})
    times = f"{runs[0]}" if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
    many = (
        f"{len(failed)} suspects failed in all of their {times} reruns, among them {named}. "
        "So many at once fail for the same reason, most often: something that they need is missing."
    )
    return [*(one.words for one in reruns if one.passes), many]
