"""The pytest plugin that tries mutants: ``python -m pytest -p pytest_aipipe.mutate.child``.

The file named by ``AIPIPE_MUTATE`` holds the request, and answers are appended to the file
that it names, a JSON object a line, so that a run which is ended early keeps what it found.

The plugin forks where it is registered, before any module of the project is imported. The
first child collects the tests, runs them once while tracing which mutated lines each runs,
and then forks for every mutant whose code can be exchanged in the living functions. For
what is executed at import (defaults, class bodies, constants, decorators) the process at
the fork goes on as a whole session that imports the mutated text instead. No state passes
from one mutant to the next, and the project's files are only read.

Standard library and pytest only: it runs inside the project's own environment.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.mutate.checks import tripped_in
from pytest_aipipe.mutate.forks import Report, Task, run_forked
from pytest_aipipe.mutate.lines import LineTracer
from pytest_aipipe.mutate.swap import (
    CannotSwapError,
    import_mutated,
    live_functions,
    real,
    swap,
)
from pytest_aipipe.mutate.work import LONGEST, Asked, Work

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = "AIPIPE_MUTATE"
_ROLE: list[Any] = []
"""What this process is for: nothing yet, :class:`First`, or :class:`Again`."""


def pytest_plugin_registered(plugin: object) -> None:
    """Fork, once this module itself is registered; the parent never returns."""
    request = os.environ.get(REQUEST)
    if request and plugin is sys.modules[__name__] and not _ROLE:
        _conduct(Work.read(Path(request)))


def _conduct(work: Work) -> None:
    """Run the first session in a child, then one session for each mutant it left over.

    Returns in the children only, which go on as pytest.
    """
    from pytest_aipipe.mutate.forks import fork

    _set_role(None)
    pid = fork()
    if pid == 0:
        _set_role(First(work))
        return
    _, status = os.waitpid(pid, 0)
    _read_back(work)
    by_id = {mutant.ident: mutant for mutant in work.mutants}
    children = Sessions(work)
    for ident in work.later:
        if time.monotonic() > work.deadline:
            break
        if not children.begin(by_id[ident]):
            return
    children.finish()
    os._exit(0 if work.passing else os.waitstatus_to_exitcode(status))


def _read_back(work: Work) -> None:
    """Learn from the answers so far which tests pass and which mutants are left over."""
    if not work.answers.exists():
        return
    for line in work.answers.read_text("utf-8").splitlines():
        said = json.loads(line)
        if said["kind"] == "tests":
            work.passing = said["passing"]
            work.excused = said.get("excused", {})
        elif said["kind"] == "later":
            work.later = said["ids"]


class Sessions:
    """Whole sessions in forked children, some at a time, one for each mutant."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.running: dict[int, tuple[Asked, float]] = {}
        self.started = time.monotonic()

    def begin(self, mutant: Asked) -> bool:
        """Fork for ``mutant``; False in the child."""
        from pytest_aipipe.mutate.forks import fork

        while len(self.running) >= self.work.jobs:
            self._reap()
        pid = fork()
        if pid == 0:
            import_mutated({mutant.path: self.work.mutated(mutant)})
            _set_role(Again(self.work, mutant))
            return False
        self.running[pid] = (mutant, time.monotonic())
        return True

    def finish(self) -> None:
        """Wait until every child has ended."""
        while self.running:
            self._reap()

    def _reap(self) -> None:
        """Wait for one child's end, or end one that is over its time."""
        import signal

        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in self.running:
            mutant, _ = self.running.pop(pid)
            if status != 0:
                self.work.answer(kind="mutant", id=mutant.ident, verdict="crashed", killers=[])
            return
        now = time.monotonic()
        for late, (mutant, began) in list(self.running.items()):
            # Collection is part of it, so the limit of one mutant is a generous one.
            if now - began > self.work.limit(self.work.passing) + 2 * LONGEST / 3:
                os.kill(late, signal.SIGKILL)
                os.waitpid(late, 0)
                del self.running[late]
                self.work.answer(kind="mutant", id=mutant.ident, verdict="timeout", killers=[])
        time.sleep(0.005)


def _set_role(role: Any) -> None:
    _ROLE[:] = [role]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests in this process: workers would not see the mutants."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses = None
        config.option.dist = "no"
        config.option.tx = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> bool | None:
    """Collect the texts of the request as if they stood in the tree, where it has any."""
    role = _ROLE[0] if _ROLE else None
    if role is None or not role.work.given:
        return None
    from pytest_aipipe.mutate.given import given_items

    session.items = given_items(session, role.work.given)
    session.testscollected = len(session.items)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Do what this child is for, instead of running the tests."""
    role = _ROLE[0] if _ROLE else None
    return role.loop(session) if role is not None else None


class Watch:
    """Hears which tests fail and which pass."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self.passed: dict[str, float] = {}
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one phase of one test."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.when == "call" and report.passed and not hasattr(report, "wasxfail"):
            self.passed[report.nodeid] = 0.0


def _run(session: pytest.Session, items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, Watch]]:
    """Run ``items`` as pytest does, and stop after each."""
    watch = Watch()
    session.config.pluginmanager.register(watch)
    session.items = items
    for index, item in enumerate(items):
        following = items[index + 1] if index + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        yield item, watch


class First:
    """The session that measures, and tries what can be exchanged in place."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.tracer = LineTracer(work.texts)
        self.tracer.start()

    def loop(self, session: pytest.Session) -> bool:
        """Measure, then try every mutant that needs no new import."""
        self.tracer.stop()
        imported = self.tracer.take()
        ran = self._measure(session)
        if ran is None:
            self.work.answer(kind="error", text="the tests could not be run once")
            return True
        functions = live_functions(set(self.work.texts))
        texts = self.work.texts.items()
        codes = {p: compile(t, p, "exec", dont_inherit=True) for p, t in texts}
        later: list[int] = []
        tasks: list[Task] = []
        for mutant in self.work.mutants:
            covering = [nodeid for nodeid, lines in ran.items() if mutant.touched(lines)]
            self.work.answer(kind="covering", id=mutant.ident, tests=covering)
            if mutant.touched(imported):
                later.append(mutant.ident)
            elif covering:
                covering.sort(key=lambda nodeid: (self.work.passing[nodeid], nodeid))
                trial = Trial(self.work, mutant, session, covering, functions, codes)
                tasks.append(Task(mutant.ident, trial, self.work.limit(covering)))
            else:
                self.work.answer(kind="mutant", id=mutant.ident, verdict="uncovered", killers=[])
        self._try_all(tasks, later)
        self.work.answer(kind="later", ids=sorted(later) if self.work.passing else [])
        return True

    def _measure(self, session: pytest.Session) -> dict[str, set[tuple[str, int]]] | None:
        """Which lines each passing test runs; in a child, so that nothing is set up yet here."""
        measured: dict[str, Any] = {}
        left = self.work.deadline - time.monotonic()
        task = Task(0, Measure(session, self.tracer), max(left, 1.0))
        for ended in run_forked([task], jobs=1, deadline=self.work.deadline):
            measured = ended.answer if ended.how == "answered" else {}
        if not measured:
            return None
        self.work.passing = measured["passing"]
        self.work.excused = measured["excused"]
        said = {
            "passing": measured["passing"],
            "unstable": measured["failed"],
            "excused": measured["excused"],
        }
        self.work.answer(kind="tests", **said)
        if not self.work.passing:
            self.work.answer(kind="error", text="no test passes without a mutant")
        return {
            nodeid: {(path, n) for path, numbers in lines.items() for n in numbers}
            for nodeid, lines in measured["lines"].items()
            if nodeid in self.work.passing
        }

    def _try_all(self, tasks: list[Task], later: list[int]) -> None:
        gc.collect()
        gc.freeze()  # the children share these pages
        for ended in run_forked(tasks, jobs=self.work.jobs, deadline=self.work.deadline):
            if ended.answer.get("again"):
                later.append(ended.ident)
                continue
            killers = ended.answer.get("killers", [])
            verdict = "killed" if killers else "survived"
            if ended.how == "timeout":
                verdict = "timeout"
            elif ended.how == "died":
                verdict = "crashed"
            if verdict in {"timeout", "crashed"} and ended.answer.get("running"):
                killers = [*killers, ended.answer["running"]]
            self.work.answer(
                kind="mutant",
                id=ended.ident,
                verdict=verdict,
                killers=killers,
                tripped=ended.answer.get("tripped", {}),
                seconds=round(ended.seconds, 3),
            )


@dataclass
class Measure:
    """Run every test once, unchanged."""

    session: pytest.Session
    tracer: LineTracer

    def __call__(self, report: Report) -> None:
        """Run and report which tests pass, how long they take, and the lines they run."""
        lines: dict[str, dict[str, list[int]]] = {}
        excused: dict[str, list[int]] = {}
        watch = Watch()
        self.tracer.start()
        for item, heard in _run(self.session, list(self.session.items)):
            watch = heard
            mine: dict[str, list[int]] = {}
            for path, line in sorted(self.tracer.take()):
                mine.setdefault(path, []).append(line)
            lines[item.nodeid] = mine
            if tripped := tripped_in(item):
                excused[item.nodeid] = tripped
            self.tracer.start()  # a test may have taken the trace function away
        self.tracer.stop()
        # A check that fails with nothing changed tells of no fault; the others still may.
        failed = watch.failed - set(excused)
        ran = {*watch.passed, *excused}
        passing = {n: watch.seconds[n] for n in ran if n not in failed}
        answer = {"passing": passing, "failed": sorted(failed), "lines": lines}
        report({**answer, "excused": excused, "done": True})


@dataclass
class Trial:
    """One mutant, exchanged in the living functions of this process's copy."""

    work: Work
    mutant: Asked
    session: pytest.Session
    nodeids: list[str]
    functions: dict[str, list[Any]]
    codes: dict[str, Any]

    def __call__(self, report: Report) -> None:
        """Exchange, run the covering tests, report the first that fails (or all of them)."""
        path, text = self.mutant.path, self.work.mutated(self.mutant)
        try:
            changed = swap(self.functions[path], self.codes[path], text)
        except CannotSwapError:
            changed = 0
        if not changed and any(
            real(getattr(m, "__file__", None) or "") == path for m in list(sys.modules.values())
        ):
            report({"again": True, "done": True})
            return
        import_mutated({path: text})
        _try(self.work, self.session, self.nodeids, report)


def _try(work: Work, session: pytest.Session, nodeids: list[str], report: Report) -> None:
    """Run the tests named, in this order, and report the failing ones."""
    place = {nodeid: index for index, nodeid in enumerate(nodeids)}
    items = sorted((i for i in session.items if i.nodeid in place), key=lambda i: place[i.nodeid])
    killers: list[str] = []
    tripped: dict[str, list[int]] = {}
    if items:
        report({"killers": [], "running": items[0].nodeid})
    for index, (item, watch) in enumerate(_run(session, items)):
        noted = tripped_in(item)
        found = [n for n in noted if n not in work.excused.get(item.nodeid, ())]
        if item.nodeid in watch.failed and (found or not noted):
            killers.append(item.nodeid)
            if found:
                tripped[item.nodeid] = found
            if not work.matrix:
                break
        if index + 1 < len(items):
            following = items[index + 1].nodeid
            report({"killers": killers, "tripped": tripped, "running": following})
    report({"killers": killers, "tripped": tripped, "done": True})


class Again:
    """A whole session on the mutated text."""

    def __init__(self, work: Work, mutant: Asked) -> None:
        self.work = work
        self.mutant = mutant

    def loop(self, session: pytest.Session) -> bool:
        """Run the tests that pass without the mutant, answer, and end the process."""
        found: dict[str, Any] = {}
        passing = self.work.passing
        collected = {item.nodeid for item in session.items}
        lost = sorted(set(passing) - collected)
        order = sorted(passing, key=lambda nodeid: (passing[nodeid], nodeid))
        if not lost or self.work.matrix:
            _try(self.work, session, order, found.update)
        killers = [*lost, *found.get("killers", [])]
        self.work.answer(
            kind="mutant",
            id=self.mutant.ident,
            verdict="killed" if killers else "survived",
            killers=killers,
            tripped=found.get("tripped", {}),
            seconds=0.0,
        )
        os._exit(0)
