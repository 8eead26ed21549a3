"""Admit: run what the gate let through as ordinary items of this session.

A test that does not pass here should not have been admitted: it is dropped from its file
and reported as rejected, and never fails the session.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from _pytest.runner import runtestprotocol

from pytest_aipipe.measure.trace import merge, union
from pytest_aipipe.session import nodes
from pytest_aipipe.session.folder import own_folder
from pytest_aipipe.session.run import Verdict
from pytest_aipipe.session.written import Ledger, free_name, without

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_aipipe.generate.request import AdmittedTest
    from pytest_aipipe.measure.analysis import FileCoverage
    from pytest_aipipe.session.host import Host

# With --lf these leave out of a collected file what did not fail last time: collection is over.
COLLECTING = ("lfplugin-collwrapper", "lfplugin-collskip")

# These plugins of pytest choose among the user's tests; ours are not up for that choice.
CHOOSERS = ("lfplugin", "nfplugin", "stepwiseplugin", "mark", "main")


class Admission:
    """Writes, collects and runs the admitted tests of one session."""

    def __init__(self, host: Host) -> None:
        self._host = host
        root = host.run.change.root
        self.ledger = Ledger(root)
        self._items: dict[pytest.Item, tuple[str, str]] = {}  # item -> (file name, test name)
        self._texts: dict[Path, str] = {}
        self._stale = self._find_stale()

    def _find_stale(self) -> frozenset[Path]:
        """Return our files of earlier runs in DIR, which this run replaces."""
        options = self._host.run.options
        if options.write_dir is None or options.budget == 0 or options.engines == ("none",):
            return frozenset()
        return frozenset(self.ledger.ours_in(options.write_dir))

    def will_replace(self, file: Path) -> bool:
        """Whether ``file`` is ours from an earlier run and is to be replaced."""
        return file in self._stale

    def is_catching(self, file: Path) -> bool:
        """Whether ``file`` is a test of what the base did: a session never runs these."""
        return self.ledger.holds_catching(file)

    def owns(self, item: pytest.Item) -> bool:
        """Whether ``item`` is a generated test."""
        return item in self._items

    def admit(self, session: pytest.Session) -> None:
        """Write, collect, run; keep what passed. Sets the run's verdicts, files and ``after``."""
        run = self._host.run
        if run.why_not:
            return
        with run.timed("admit"):
            self._write()
            items = self._collect(session)
            self._run(session, items)
            self._keep_passed()
            self._measure()

    def withdraw(self) -> None:
        """Take back every file of this session: nothing half-done stays."""
        for file in self._texts:
            self.ledger.remove(file)
        self._texts.clear()
        self._host.run.files.clear()

    def folder(self) -> Path:
        """Return where the tests of this session are written."""
        run = self._host.run
        if run.options.write and run.target is not None:
            return run.target
        return own_folder(run.change.root, "generated")

    def _write(self) -> None:
        folder = self.folder()
        for old in {*self._stale, *self.ledger.ours_in(folder)}:
            if old in self._stale or not self._host.run.options.write:
                self.ledger.remove(old)
        for name, text in self._host.run.result.files.items():
            file = folder / free_name(folder, name, self.ledger)
            self._texts[file] = text
            self.ledger.write(file, text)

    def _collect(self, session: pytest.Session) -> list[pytest.Item]:
        """Return the items of the admitted tests; what cannot be collected gets its verdict."""
        run = self._host.run
        collected: list[pytest.Item] = []
        manager = self._host.config.pluginmanager
        for plugin in COLLECTING:
            if manager.hasplugin(plugin):
                manager.unregister(name=plugin)
        wanted = {(test.module_name, test.name) for test in run.result.admitted}
        apart = self._apart()
        for name, file in zip(run.result.files, self._texts, strict=True):
            if name in apart:
                continue
            intended = file if run.options.write else (run.target or file.parent) / file.name
            try:
                found = list(nodes.items_of(nodes.module_node(session, file, intended)))
            except (pytest.Collector.CollectError, pytest.UsageError) as error:
                self._reject_file(name, f"could not be collected in this session: {error}")
                continue
            for item in found:
                self._items[item] = (name, _test_name(item))
            collected += found
        self._modify(session, collected)
        here = {self._items[item] for item in collected}
        here |= self._taken_from_the_gate(apart)
        for key in wanted - here - run.verdicts.keys():
            run.verdicts[key] = Verdict("", passed=False, reason="was not collected")
        return collected

    def _apart(self) -> frozenset[str]:
        """Return the files that nobody of ours wrote: they never run outside the sandbox."""
        admitted = self._host.run.result.admitted
        return frozenset(test.module_name for test in admitted if test.untrusted)

    def _taken_from_the_gate(self, apart: frozenset[str]) -> set[tuple[str, str]]:
        """Set the verdicts of the tests in ``apart``: what the sandbox showed, four times."""
        run = self._host.run
        found = set()
        for test in run.result.admitted:
            if test.module_name in apart:
                key = (test.module_name, test.name)
                run.verdicts[key] = Verdict("", passed=True)
                found.add(key)
        return found

    def _reject_file(self, name: str, reason: str) -> None:
        for test in self._host.run.result.admitted:
            if test.module_name == name:
                key = (name, test.name)
                self._host.run.verdicts[key] = Verdict("", passed=False, reason=reason)

    def _modify(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Let conftests and plugins mark the new items as they would any others."""
        manager = self._host.config.pluginmanager
        aside = [self._host, *(manager.getplugin(name) for name in CHOOSERS)]
        hook = manager.subset_hook_caller(
            "pytest_collection_modifyitems", [plugin for plugin in aside if plugin]
        )
        hook(session=session, config=self._host.config, items=items)

    def _run(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        session.testscollected += len(items)
        host = self._host
        host.recorder.start()
        try:
            for index, item in enumerate(items):
                following = items[index + 1] if index + 1 < len(items) else None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        finally:
            host.recorder.stop()

    def run_one(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run one generated test and report it to pytest when it passed in every phase."""
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        bad = next((report for report in reports if report.outcome != "passed"), None)
        key = self._items[item]
        earlier = self._host.run.verdicts.get(key)
        if bad is None:
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            for report in reports:
                item.ihook.pytest_runtest_logreport(report=report)
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            if earlier is None:
                self._host.run.verdicts[key] = Verdict(item.nodeid, passed=True)
        else:
            item.session.testscollected -= 1
            reason = f"{bad.outcome} when run in this session: {_last_line(bad)}"
            self._host.run.verdicts[key] = Verdict(item.nodeid, passed=False, reason=reason)
        return True

    def _keep_passed(self) -> None:
        """Drop from the files what did not pass; a file without a test goes."""
        run = self._host.run
        for name, (file, text) in zip(run.result.files, list(self._texts.items()), strict=True):
            failed = {key[1] for key, v in run.verdicts.items() if key[0] == name and not v.passed}
            if failed:
                rest = without(text, failed)
                if rest is None:
                    self.ledger.remove(file)
                    del self._texts[file]
                    continue
                self.ledger.write(file, rest)
            run.files.append(file)

    def _measure(self) -> None:
        """Add what the passed tests ran to ``run.after``."""
        from pytest_aipipe.session.steps import figures

        run = self._host.run
        ours = {item.nodeid for item in self._items}
        passed = {item.nodeid for item, key in self._items.items() if run.verdicts[key].passed}
        everything = merge([run.trace, self._host.recorder.trace()])
        run.trace = {ctx: seen for ctx, seen in everything.items() if ctx not in ours - passed}
        run.after = figures(run, union(run.trace))
        for test in run.result.admitted:
            if test.untrusted and test.path in run.after:
                run.after[test.path] = _and(run.after[test.path], test)


def _and(found: FileCoverage, test: AdmittedTest) -> FileCoverage:
    """Return the figures with what a test reached that only the sandbox has run."""
    return replace(
        found,
        executed=found.executed | (test.lines & found.statements),
        executed_branches=found.executed_branches | (test.arcs & found.branches),
    )


def _test_name(item: pytest.Item) -> str:
    """Return the top-level name of the test in its file: the class for a method."""
    chain = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return chain[0] if chain else getattr(item, "originalname", None) or item.name


def _last_line(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):  # a skip: file, line, reason
        return str(report.longrepr[2])
    crash = getattr(getattr(report.longrepr, "reprcrash", None), "message", None)
    return str(crash or report.longrepr).strip().splitlines()[0][:200]
