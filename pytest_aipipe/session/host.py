"""The session's hooks: when pytest reaches a point, the step that belongs there is taken.

One host lives in each process. Alone, it does everything. Under xdist a worker selects,
measures and sends what it saw; the controller merges, generates once and runs the
admitted tests itself when the workers are done.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.change.model import Kind
from pytest_aipipe.measure import imported, outer
from pytest_aipipe.measure.recorder import PHASE_SEPARATOR, Recorder
from pytest_aipipe.measure.trace import OUTSIDE, merge, packed, unpacked
from pytest_aipipe.progress import LineProgress, progress_for
from pytest_aipipe.report.terminal import write_summary
from pytest_aipipe.select.decide import Selection
from pytest_aipipe.session import nodes, steps
from pytest_aipipe.session.admit import Admission
from pytest_aipipe.session.engines import EMBEDDED, Embedded, check_engines
from pytest_aipipe.session.items import ItemInfo, info_of
from pytest_aipipe.session.mapping import Mapping
from pytest_aipipe.session.run import Run

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from aipipe_core.change.model import Change, FileChange
    from pytest_aipipe.engines.llm.engine import ModelEngine
    from pytest_aipipe.options import Options

OUTPUT = "aipipe"


class Host:
    """Plugin object of one process. ``run`` is what the session has found so far."""

    def __init__(self, config: pytest.Config, options: Options, change: Change) -> None:
        self.config = config
        self.environ = dict(os.environ)
        self.run = Run(options, change, config.rootpath, sources=read_sources(change))
        self.with_cov = outer.asked_for(config)
        theirs = (lambda: outer.find(config)) if self.with_cov else None
        # Lines that are gone are no lines to cover, but who ran their neighbours is worth to know.
        watched = [*self.run.sources, *(f.path for f in change.files if only_loses(f))]
        self.mapping = Mapping(
            change, lambda ours: Recorder(change.root, watched, theirs, also=ours)
        )
        self.recorder = self.mapping.recorder
        self.early = imported.already(self.recorder.by_file)
        self.model: list[ModelEngine | None] = []  # one, once it was asked for
        self.admission = Admission(self)
        config.pluginmanager.register(Embedded(), EMBEDDED)

    @property
    def is_worker(self) -> bool:
        """Whether this process is a worker of xdist."""
        return hasattr(self.config, "workerinput")

    def progress(self) -> LineProgress:
        """Return the progress line of this session."""
        return progress_for(self.config)

    @property
    def collects_only(self) -> bool:
        """Whether nothing is to run (``--collect-only``)."""
        return bool(self.config.option.collectonly)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Check the engines, now that conftests could bring theirs."""
        if not self.is_worker:
            check_engines(config, self.run.options.engines)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionstart(self) -> Generator[None, Any, Any]:
        """Start again after pytest-cov where it starts only now."""
        # In a worker pytest-cov starts here; whoever starts last is traced, so we go again.
        again = self.is_worker and self.with_cov
        if again:
            self.recorder.stop()
        try:
            return (yield)
        finally:
            if again:
                self.recorder.forget_files()
                self.recorder.start()

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out what an earlier run wrote and this one will replace, and catching tests."""
        left_out = self.admission.will_replace(collection_path) or self.admission.is_catching(
            collection_path
        )
        return True if left_out else None

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """Attribute what collecting a file runs to that file, as if it ran at import."""
        nodes.remember(collector)
        with self.mapping.watch.collecting(collector.path):
            return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the tests that the change cannot affect."""
        self.mapping.collected = {item.nodeid for item in items}
        with self.run.timed("select"), self.recorder.paused():
            kept, left = steps.select(self, items)
        if left:
            self.config.hook.pytest_deselected(items=left)
            items[:] = kept
        for item in kept:
            info = info_of(item)
            if info is not None:
                self.run.items[item.nodeid] = info

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Attribute what runs to the test."""
        return (yield from self._phase(item, "setup"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Attribute what runs to the test."""
        return (yield from self._phase(item, "run"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Attribute what runs to the test."""
        self.mapping.watch.note_fixtures(item)
        return (yield from self._phase(item, "teardown"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Attribute what a shared fixture runs to all who use it."""
        with self.mapping.fixture(fixturedef):
            return (yield)

    def _phase(self, item: pytest.Item, name: str) -> Generator[None, Any, Any]:
        self.recorder.switch(f"{item.nodeid}{PHASE_SEPARATOR}{name}")
        try:
            return (yield)
        finally:
            self.recorder.switch(OUTSIDE)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a generated test: it is reported only when it passes."""
        return self.admission.run_one(item, nextitem) if self.admission.owns(item) else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up how long each test takes, and how it went."""
        self.mapping.noted(report)
        seconds = self.run.seconds
        seconds[report.nodeid] = seconds.get(report.nodeid, 0.0) + report.duration

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Innermost: what we measured goes to pytest-cov before its own wrapper reports."""
        finished = False
        self.go_on_after_collection_errors(session)
        try:
            with self.run.timed("tests"):
                result = yield
            finished = True
        finally:
            self.recorder.stop()
            self.mapping.write(self)
            self._hand_over()
            if not self.is_worker and not self.collects_only:
                steps.after_tests(self, session, finished=finished)
        if self.is_worker:
            self._send()
        return result

    def go_on_after_collection_errors(self, session: pytest.Session) -> None:
        """Run the tests that were collected: one broken file says nothing of the others.

        pytest would stop here with exit code 2, and that stays the code.
        """
        option = self.config.option
        if session.testsfailed and not option.continue_on_collection_errors:
            option.continue_on_collection_errors = True
            self.run.collection_errors = session.testsfailed

    def _hand_over(self) -> None:
        theirs = outer.find(self.config) if self.with_cov else None
        if theirs is not None:
            contexts = getattr(self.config.option, "cov_context", None) == "test"
            outer.feed(theirs, self.recorder.coverage, contexts=contexts)

    def _send(self) -> None:
        """Leave for the controller what this worker saw, as one text."""
        selection = self.run.selection
        self.config.workeroutput[OUTPUT] = json.dumps(  # type: ignore[attr-defined]
            {
                "trace": packed(self.recorder.trace()),
                "items": [info.wire() for info in self.run.items.values()],
                "collected": selection.collected,
                "reasons": dict(selection.reasons),
                "left_out": dict(selection.left_out),
                "modules": steps.loaded_modules(self),
                "select_seconds": self.run.timing.get("select", 0.0),
            }
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Merge what a worker of xdist saw."""
        text = getattr(node, "workeroutput", {}).get(OUTPUT)
        if text is None:
            self.run.note("A worker ended without its measurement: figures may be too low.")
            return
        sent = json.loads(text)
        run = self.run
        run.trace = merge([run.trace, unpacked(sent["trace"])])
        run.items.update((wire["nodeid"], ItemInfo.of_wire(wire)) for wire in sent["items"])
        run.modules.update(sent["modules"])
        # The workers select side by side: what the user waits for is the slowest.
        run.timing["select"] = max(run.timing.get("select", 0.0), sent["select_seconds"])
        run.selection = Selection(sent["collected"], sent["reasons"], sent["left_out"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Decide the exit code and write the reports."""
        self.recorder.stop()
        if not self.is_worker and not self.collects_only:
            steps.finish(self, session)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the summary."""
        if not self.is_worker and not self.collects_only:
            write_summary(terminalreporter, self.run)

    def pytest_unconfigure(self) -> None:
        """Let go of the measurement, after everybody had a look at it."""
        self.mapping.watch.stop()
        self.recorder.close()


def read_sources(change: Change) -> dict[str, str]:
    """Return the text of the changed files whose lines tests could run, by path."""
    sources = {}
    for file in change.files:
        if is_code(file):
            text = _read(change.root / file.path)
            if text is not None:
                sources[file.path] = text
    return sources


def is_code(file: FileChange) -> bool:
    """Whether ``file`` is program code in Python: no test, no build or document script."""
    return bool(file.changed_lines) and _is_source(file)


def only_loses(file: FileChange) -> bool:
    """Whether ``file`` is program code from which the change only took lines away."""
    return bool(file.hunks) and not file.changed_lines and _is_source(file)


def _is_source(file: FileChange) -> bool:
    return (
        file.path.endswith(".py")
        and file.status != "D"
        and not file.binary
        and not file.submodule
        and bool(file.kinds & {Kind.CODE, Kind.CONFIGURATION})
        and not file.kinds & {Kind.TESTS, Kind.DOCS, Kind.CI, Kind.DEPENDENCIES}
        and os.path.basename(file.path) != "conftest.py"  # noqa: PTH119
    )


def _read(file: Path) -> str | None:
    import tokenize

    try:
        with tokenize.open(file) as stream:
            return stream.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
