"""One candidate, run by pytest in this process: what it reached, raised and was worth."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core import syntax
from pytest_aipipe.explore import instrument, synthetic
from pytest_aipipe.explore.footprint import Footprint

if TYPE_CHECKING:
    import warnings

    from pytest_aipipe.explore.tracing import RawArcs, Tracer
    from pytest_aipipe.explore.wire import Message

MAX_TEXT = 2000


class Watch:
    """A plugin that keeps what pytest reports of the candidate's items."""

    def __init__(self) -> None:
        self.excinfo: list[tuple[str, pytest.ExceptionInfo[BaseException]]] = []
        self.reports: list[pytest.TestReport] = []
        self.warnings: list[tuple[str, str, str]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Any:
        """Keep the exception itself; the report holds only its picture."""
        report = yield
        if call.excinfo is not None:
            self.excinfo.append((call.when, call.excinfo))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep every phase's report."""
        self.reports.append(report)

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Keep the warning's class and text."""
        kind = warning_message.category
        self.warnings.append((kind.__module__, kind.__qualname__, str(warning_message.message)))


class Trial:
    """Runs the candidate that ``message`` holds and answers with what was seen."""

    def __init__(
        self,
        session: pytest.Session,
        message: Message,
        *,
        tracer: Tracer,
        recorder: Any = None,
    ) -> None:
        self.session = session
        self.message = message
        self.tracer = tracer
        self.recorder = recorder
        self.collected: RawArcs = {}
        self.path = Path(message["path"])
        self.probe = instrument.Probe(
            tuple(message.get("observe", ())),
            look=message.get("look", True),
            aside=tracer.paused,
        )

    def run(self) -> Message:
        """Run the candidate; never raises for what the candidate does."""
        started = time.perf_counter()
        before = _Surroundings()
        footprint = Footprint() if self.message.get("plain") else None
        watch = Watch()
        plugins = self.session.config.pluginmanager
        plugins.register(watch, "aipipe-watch")
        problem = ""
        self.tracer.start()
        if footprint is not None:
            footprint.on = True
        if self.recorder is not None:
            self.recorder.on = True
        try:
            self._run_items()
        except synthetic.CollectionError as error:
            problem = str(error)
        except pytest.skip.Exception as error:
            problem = f"skipped: {error}"
        except Exception as error:  # the candidate's imports and helpers may raise anything
            problem = f"{type(error).__name__}: {error}"
        finally:
            if self.recorder is not None:
                self.recorder.on = False
            if footprint is not None:
                footprint.on = False
            arcs = self.tracer.stop()
            plugins.unregister(watch)
        answer = self._answer(watch, problem)
        answer["arcs"] = {
            p: [*self.collected.get(p, ()), *arcs.get(p, ())] for p in {**self.collected, **arcs}
        }
        answer["seconds"] = time.perf_counter() - started
        answer["residue"] = before.differences()
        if footprint is not None and footprint.paths:
            answer["residue"].append(f"writes outside its temporary folder ({footprint.paths[0]})")
        if footprint is not None:
            answer["residue"] += footprint.others
        if self.recorder is not None:
            answer["comparisons"] = self.recorder.seen
        return answer

    def _run_items(self) -> None:
        source, name = self.message["source"], self.message["name"]
        given: dict[str, Any] = {}
        loaded = self.tracer.loaded()
        if self.message.get("plain"):
            code = compile(source, str(self.path), "exec", dont_inherit=True)
        else:
            tree = instrument.instrument(source, name)
            self.probe.sets = instrument.attributes_set(tree)
            self.probe.inside = instrument.entered(tree)
            code = compile(tree, str(self.path), "exec", dont_inherit=True)
            given[instrument.PROBE] = self.probe
        config = self.session.config
        parent = synthetic.parent_for(self.session, self.path.parent)
        module = synthetic.build_module(self.path, code, config, given)
        node = synthetic.module_node(parent, self.path, module)
        items = list(synthetic.items_of(node))
        config.hook.pytest_collection_modifyitems(session=self.session, config=config, items=items)
        if not items:
            raise synthetic.CollectionError("nothing was collected")
        # To collect a test that imports a module asks this for attributes: no test's doing.
        # What a first import runs is.
        self.collected = {p: seen for p, seen in self.tracer.stop().items() if p not in loaded}
        self.tracer.start()
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)

    def _answer(self, watch: Watch, problem: str) -> Message:
        answer: Message = {
            "status": "error" if problem else _status(watch, self.probe),
            "detail": problem[-MAX_TEXT:],
            "facts": self.probe.facts,
            "checks": self.probe.checks,
            "warnings": watch.warnings[:5],
            "end": self.probe.reached_end,
            "tests": sum(one.when == "call" for one in watch.reports),
        }
        if problem.startswith("skipped: "):
            answer["status"] = "skipped"
        for one in watch.reports:
            if one.capstdout and one.when == "call":
                answer["stdout"] = one.capstdout[:MAX_TEXT]
            if one.capstderr and one.when == "call":
                answer["stderr"] = one.capstderr[:MAX_TEXT]
        for when, excinfo in watch.excinfo:
            if excinfo.errisinstance(pytest.skip.Exception):
                continue
            answer.update(self._raised(when, excinfo))
            break
        return answer

    def _own(self, lines: list[int | None]) -> list[int | None]:
        """Return those of the candidate's lines that belong to the test itself, where any do.

        A decorator of the test's module that runs it stands before it in the traceback.
        """
        tree = syntax.parse(self.message["source"])
        spans = [
            range(one.lineno, (one.end_lineno or one.lineno) + 1)
            for one in instrument.test_functions(tree, self.message["name"])
        ]
        return [one for one in lines if any(one in span for span in spans)] or lines

    def _raised(self, when: str, excinfo: pytest.ExceptionInfo[BaseException]) -> Message:
        from pytest_aipipe.explore.rebuild import import_of

        error = excinfo.value
        frames = traceback.extract_tb(error.__traceback__)
        own = self._own([one.lineno for one in frames if one.filename == str(self.path)])
        inside = [
            (self.tracer.paths[one.filename], one.lineno)
            for one in frames
            if one.filename in self.tracer.paths
        ]
        named = import_of(type(error))
        text = _text(error)
        detail = "".join(traceback.format_exception_only(error)).strip()
        return {
            "detail": f"{when}: {detail}"[-MAX_TEXT:],
            "raised": {
                "when": when,
                "type": type(error).__name__,
                "import": list(named) if named else None,
                "text": text[:MAX_TEXT],
                "line": own[0] if own else None,
                "at": inside[-1] if inside else None,
                "own": bool(frames) and frames[-1].filename == str(self.path),
                "failed": isinstance(error, AssertionError | pytest.fail.Exception),
            },
        }


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _status(watch: Watch, probe: instrument.Probe) -> str:
    status = "skipped"
    for report in watch.reports:
        if report.failed:
            if report.when != "call":
                return "error"
            first = next((e for when, e in watch.excinfo if when == "call"), None)
            failed = first is not None and first.errisinstance(
                (AssertionError, pytest.fail.Exception)
            )
            return "failed" if failed else "raised"
        if report.when == "call" and report.passed:
            status = "passed"
    if status == "passed" and not all(one["held"] for one in probe.checks):
        return "failed"
    return status


class _Surroundings:
    """What a test must leave as it found it: threads, environment, working directory."""

    def __init__(self) -> None:
        self.threads = set(threading.enumerate())
        self.environment = dict(os.environ)
        self.folder = os.getcwd()  # noqa: PTH109 - the plain string is what is compared

    def differences(self) -> list[str]:
        """Say what is different now."""
        found = []
        # Sorted for a stable reason; a thread that is about to end gets a moment.
        for thread in sorted(set(threading.enumerate()) - self.threads, key=lambda t: t.name):
            thread.join(0.05)
            if thread.is_alive():
                found.append(f"leaves the thread {thread.name} running")
        now = dict(os.environ)
        changed = sorted(
            k for k in {*now, *self.environment} if now.get(k) != self.environment.get(k)
        )
        changed = [k for k in changed if not k.startswith(("PYTEST_", "COVERAGE_", "COV_"))]
        if changed:
            found.append(f"leaves the environment changed ({', '.join(changed[:3])})")
        try:
            folder = os.getcwd()  # noqa: PTH109
        except OSError:
            folder = ""
        if folder != self.folder:
            found.append("leaves another working directory")
        return found


def flush() -> None:
    """Empty the standard streams' buffers, so that a forked copy does not print them again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
