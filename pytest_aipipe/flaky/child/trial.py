"""One trial: tests in an order, in this process, and what became of each."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.flaky.child import state
from pytest_aipipe.flaky.child.failure import Comparisons, describe

if TYPE_CHECKING:
    from pytest_aipipe.flaky.child.clock import Clock
    from pytest_aipipe.flaky.child.entropy import Entropy
    from pytest_aipipe.flaky.child.probe import Probe
    from pytest_aipipe.flaky.child.wire import Message


class Trial:
    """Runs the tests of one request and gathers their verdicts."""

    def __init__(
        self,
        session: pytest.Session,
        message: Message,
        *,
        top: str,
        probe: Probe,
        clock: Clock | None,
        entropy: Entropy | None,
    ) -> None:
        self.session, self.message, self.top = session, message, top
        self.probe, self.clock, self.entropy = probe, clock, entropy
        self.comparisons = Comparisons()
        self.verdict: dict[str, Any] = {}

    def run(self) -> Message:
        """Return the verdicts, and the difference of states where it was asked for."""
        by_id = {item.nodeid: item for item in self.session.items}
        items = [by_id[nodeid] for nodeid in self.message["order"] if nodeid in by_id]
        self.session.config.pluginmanager.register(self, "aipipe-flaky-trial")
        self.session.config.pluginmanager.register(self.comparisons, "aipipe-flaky-compare")
        watch: Any = self.message.get("state")
        before = state.Snapshot(self.top) if watch else None
        verdicts, changed = [], []
        for index, item in enumerate(items):
            following = items[index + 1] if index + 1 < len(items) else None
            if before is not None and index == watch["after"]:
                before.restore(watch.get("restore", ()))
            verdicts.append(self._one(item, following, first=index == 0))
            if before is not None and index + 1 == watch["after"]:
                changed = before.changes()
        answer: Message = {"verdicts": verdicts, "changed": changed}
        if self.message.get("paths"):
            written = [path for one in verdicts for path in one["touched"]["written"]]
            answer["paths"] = state.paths(self.top, written)
        return answer

    def _one(self, item: pytest.Item, following: pytest.Item | None, *, first: bool) -> Message:
        self.verdict = {"id": item.nodeid, "outcome": "passed", "detail": ""}
        self.probe.clear()
        readings = self.clock.readings if self.clock else 0
        if self.clock is not None:
            self.clock.places.clear()
        started = time.perf_counter()
        self.probe.on = True
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        finally:
            self.probe.on = False
            sys.settrace(None)
        self.verdict["seconds"] = time.perf_counter() - started
        touched = self.probe.seen()
        if self.clock is not None:
            touched["clock"] = self.clock.readings - readings
            touched["clock_places"] = sorted(f"{f}:{n}" for f, n in self.clock.places)
        if self.entropy is not None:
            # In an order only the first test starts where the seed put it.
            touched["entropy"] = self.entropy.drawn() if first else None
        self.verdict["touched"] = touched
        return self.verdict

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Any:
        """Keep what failed, and where."""
        self.probe.on = False
        report = yield
        if report.failed:
            first = self.verdict["outcome"] == "passed"
            if first:
                self.verdict["outcome"] = "failed" if report.when == "call" else "error"
                self.verdict["when"] = report.when
                self._describe(report, call)
        elif report.skipped and not hasattr(report, "wasxfail"):
            self.verdict["outcome"] = "skipped"
        self.probe.on = True
        return report

    def _describe(self, report: Any, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None:
            told = describe(call.excinfo.value, call.excinfo.tb, self.top)
            compared = told.pop("compare") or self.comparisons.last
            self.verdict.update(told, compare=compared)
            if not self.verdict["detail"]:
                self.verdict["detail"] = call.excinfo.typename
        else:
            self.verdict["detail"] = str(report.longrepr).strip()[-300:]
        self.comparisons.last = None


def quiet() -> None:
    """Let nothing that the tests say reach the terminal."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)
