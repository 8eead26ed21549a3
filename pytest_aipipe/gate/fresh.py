"""Rules that run a test: alone in two fresh processes that differ, then with all others.

"Fresh" is a pytest process that has collected no test and imported nothing of the project
but its conftests; each test then has a fork of its own. Its reach is measured there, and
nothing that the exploration said is believed. The two have different hash seeds, and the second
stands in another time zone: what holds here only would fail on somebody's machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from pytest_aipipe.explore.explorer import Explorer, Verdict
from pytest_aipipe.generate.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.request import Request

PLACES = (("1", ""), ("12345", "Asia/Kathmandu"))
"""The hash seed and the time zone of each process; where a zone is not known, it is UTC."""
NOT_FRESH = "does not pass in a fresh process"


@dataclass(frozen=True, slots=True)
class Passed:
    """A test passed alone, every time; ``outcome`` is what it reached each time."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a test is not admitted."""

    reason: str


MakeExplorer = Callable[[str, str], Explorer]


class FreshRuns:
    """The gate's processes, one for each place. Use as a context manager."""

    def __init__(self, request: Request, make: MakeExplorer) -> None:
        self.request = request
        self._explorers = [make(*place) for place in PLACES]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        for one in self._explorers:
            one.close()

    def begin(self) -> None:
        """Start the processes now and do not wait, so that the first test need not either."""
        for one in self._explorers:
            one.begin()

    @property
    def elsewhere(self) -> Explorer:
        """A process with another hash seed and time zone than the exploration's."""
        return self._explorers[-1]

    def alone(self, path: Path, text: str) -> Passed | Refused:
        """Run one test's file twice in each process; all must pass and reach the same."""
        trials: list[Trialed] = []
        for explorer in self._explorers:
            trials += explorer.try_plain([(path, text, ""), (path, text, "")])
            reason = next(filter(None, map(_trouble, trials)), None)
            if reason:
                return Refused(reason)
        lines, arcs = trials[0].outcome.lines, trials[0].outcome.arcs
        common = Outcome(
            status="passed",
            lines={p: _all([t.outcome.lines for t in trials], p) for p in lines},
            arcs={p: _all([t.outcome.arcs for t in trials], p) for p in arcs},
            seconds=max(one.outcome.seconds for one in trials),
        )
        return Passed(common)

    def together(
        self, files: Mapping[str, str], *, timeout: float = 60.0
    ) -> dict[tuple[str, str], str]:
        """Run all files forwards and backwards; return the reason for each test that failed.

        A key is the file's name and the test's; an empty test name stands for the file, two
        empty names for all of them.
        """
        given = [(self.request.target / name, text) for name, text in files.items()]
        if not given:
            return {}
        failed: dict[tuple[str, str], str] = {}
        for explorer, reverse in zip(self._explorers, (False, True), strict=True):
            order = "in reverse order" if reverse else "in order"
            for one in explorer.run_together(given, reverse=reverse, timeout=timeout):
                if not one.ok:
                    failed[one.file, one.test] = f"fails with the others {order}: {_last(one)}"
        return failed


T = TypeVar("T")


def _all(given: list[Mapping[str, frozenset[T]]], path: str) -> frozenset[T]:
    return frozenset.intersection(*(one.get(path, frozenset()) for one in given))


def _last(verdict: Verdict) -> str:
    return verdict.detail.strip().splitlines()[-1][-200:] if verdict.detail.strip() else "no reason"


def _trouble(trial: Trialed) -> str | None:
    outcome = trial.outcome
    if outcome.status != "passed":
        return f"{NOT_FRESH}: {outcome.status}: {outcome.detail[:300]}"
    if trial.tests == 0:
        return "is not collected"
    if trial.residue:
        return trial.residue[0]
    return None
