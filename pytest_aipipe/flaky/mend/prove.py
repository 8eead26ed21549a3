"""The proof of a mend: what turned the verdict before does not turn it any more.

The mended test has to hold alone with everything pinned, under each setting that turned it,
and as it is, each as often as the failure rate demands: so often that a test that still
failed at the lower end of the rate's interval would pass with a probability of at most
:data:`MISS`. What other tests pollute has to hold after the longest order that turned it as
well: there may be more polluters than the one that was found.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_aipipe.flaky.condition import natural, pinned
from pytest_aipipe.flaky.experiments import trial
from pytest_aipipe.flaky.interval import interval
from pytest_aipipe.flaky.sequential import most_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_aipipe.flaky.condition import Condition
    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.lab import Bench, Lab

MISS = 0.05
FEWEST = 5
MOST = 120


def needed(failures: int, runs: int) -> int:
    """Return how many passes in a row the observed rate demands."""
    low, _ = interval(failures, runs)
    if low <= 0:
        return FEWEST
    return min(max(most_runs(low, MISS), FEWEST), MOST)


class Proof:
    """Runs a mended test in the laboratory's copy. ``runs`` counts what it held through.

    ``refused`` remembers, for mends of this test that failed late, in which run of what: a mend
    that follows has to hold so often that one with that rate would have been refused as well.
    """

    def __init__(self, finding: Finding, lab: Lab, refused: dict[str, int] | None = None) -> None:
        self.finding, self.lab = finding, lab
        self.refused = {} if refused is None else refused
        self.runs = 0
        self.why = ""

    def holds(self) -> bool:
        """Whether the test held every time; otherwise ``why`` says where it did not."""
        condition = pinned(time.time())
        with self.lab.start(condition, self._files()) as bench:
            if not self._repeat("with everything pinned", 2, lambda: self._alone(bench)):
                return False
            if self.finding.pollution is not None:
                if not self._in_order(bench):
                    return False
            elif not self._provoked(bench):
                return False
        if not self._among(condition):
            return False
        times = needed(*self.finding.natural)
        with self.lab.start(natural(17), self._files()) as bench:
            return self._repeat("as it is", times, lambda: self._alone(bench))

    def _files(self) -> list[str]:
        nodes = [self.finding.nodeid]
        if self.finding.pollution is not None:
            nodes += self.finding.pollution.before
        return list(dict.fromkeys(node.partition("::")[0] for node in nodes))

    def _alone(self, bench: Bench) -> str:
        return bench.alone(self.finding.nodeid).outcome

    def _in_order(self, bench: Bench) -> bool:
        pollution = self.finding.pollution
        assert pollution is not None  # noqa: S101 - the caller asked
        order = [*pollution.before, pollution.victim]
        times = needed(*self.finding.provoked)

        def outcome() -> str:
            verdicts = bench.run(order).verdicts
            return next((one.outcome for one in verdicts if one.bad), verdicts[-1].outcome)

        return self._repeat("after " + " and ".join(pollution.before), times, outcome)

    def _among(self, condition: Condition) -> bool:
        """Whether it holds after all the tests of the longest order that turned it."""
        pollution = self.finding.pollution
        if pollution is None or set(pollution.among) <= set(pollution.before):
            return True
        order = [*pollution.among, pollution.victim]
        with self.lab.start(condition) as bench:

            def outcome() -> str:
                last = bench.run(order).of(pollution.victim)
                return last.outcome if last is not None else "not run"

            return self._repeat("among all that ran before it", 1, outcome)

    def _provoked(self, bench: Bench) -> bool:
        times = needed(*self.finding.provoked)
        nodeid = self.finding.nodeid
        for setting in self.finding.settings:

            def outcome(place: Bench, setting: object = setting) -> str:
                verdict = trial(place, setting, nodeid)  # type: ignore[arg-type]
                return "failed" if verdict is None else verdict.outcome

            if setting.condition is None:
                held = self._repeat(setting.words, times, lambda: outcome(bench))
            else:
                with self.lab.start(setting.condition, self._files()) as other:
                    held = self._repeat(setting.words, times, lambda: outcome(other))
            if not held:
                return False
        return True

    def _repeat(self, words: str, times: int, outcome: Callable[[], str]) -> bool:
        if words in self.refused:
            times = max(times, needed(1, self.refused[words]))
        for number in range(times):
            found = outcome()
            if found != "passed":
                if number:
                    self.refused[words] = max(self.refused.get(words, 0), number + 1)
                self.why = f"{found} in run {number + 1} {words}"
                return False
            self.runs += 1
        return True
