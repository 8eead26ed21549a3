"""Suspects: failures that the change cannot have caused, rerun before anybody is blamed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_aipipe.flaky.condition import natural
from pytest_aipipe.flaky.sequential import smallest_rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aipipe_core.change.model import Change
    from pytest_aipipe.flaky.lab import Lab
    from pytest_aipipe.measure.trace import Trace

MISS = 0.05


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


def rerun(lab: Lab, suspects: Mapping[str, str], most: int) -> list[Rerun]:
    """Rerun each suspect until it passes, ``most`` times at most."""
    found = [Rerun(nodeid, why) for nodeid, why in suspects.items()]
    if not found or not most:
        return []
    with lab.start(natural(1)) as bench:
        known = set(bench.collected)
        for one in found:
            while one.nodeid in known and one.runs < most and not one.passes:
                one.passes += not bench.alone(one.nodeid).bad
                one.runs += 1
    return [one for one in found if one.runs]
