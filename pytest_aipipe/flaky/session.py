"""The hunt inside a pytest session: after the tests have run, and before the reports are made.

One host in the process that the user started; a worker of xdist has nothing to do with it.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.config import load
from aipipe_core.errors import AipipeError
from pytest_aipipe import options
from pytest_aipipe.flaky.history import Causes, History, outcomes
from pytest_aipipe.flaky.hunt import Hunt
from pytest_aipipe.flaky.lab import Lab
from pytest_aipipe.flaky.report import document, summary
from pytest_aipipe.flaky.suspects import Suspects, rerun, told
from pytest_aipipe.flaky.workplace import make_workplace, paths_in, top_of
from pytest_aipipe.progress import progress_for
from pytest_aipipe.session.ask import pytest_args
from pytest_aipipe.session.folder import defect_file, own_folder, write_text
from pytest_aipipe.session.start import NAME as DIFF
from pytest_aipipe.session.start import layers, untangle

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.workplace import Workplace
    from pytest_aipipe.options import Options

NAME = "aipipe-flaky"
SUSPECT_SECONDS = 60.0
"""For experiments on suspects in a session that did not ask for a hunt."""


def start(config: pytest.Config, args: list[str]) -> None:
    """Register the host. Raises :class:`pytest.UsageError` for a request that cannot be met."""
    untangle(config, args)
    try:
        settings = load(config.rootpath, environ=os.environ, flags={})
    except AipipeError as error:
        raise pytest.UsageError(" ".join(str(error).split())) from error
    asked = options.read(config, layers(settings))
    if not hasattr(config, "workerinput"):
        place = settings.store.url or config.rootpath / ".aipipe" / "store.db"
        config.pluginmanager.register(FlakyHost(config, asked, place), NAME)


class FlakyHost:
    """Reruns suspects, and hunts where asked to, when the tests are done."""

    def __init__(self, config: pytest.Config, asked: Options, store: str | Path) -> None:
        self.config, self.options, self.store = config, asked, store
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.reports: list[pytest.TestReport] = []
        self.hunted = 0
        self._known: frozenset[str] | None = None
        self._environ, self._path = dict(os.environ), list(sys.path)

    @property
    def diff(self) -> Any:
        """The host of ``--ai-diff``, None without it."""
        return self.config.pluginmanager.getplugin(DIFF)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the verdicts."""
        if not report.nodeid.startswith(".aipipe/"):
            self.reports.append(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Look after the tests have run, whatever became of them."""
        self._known = paths_in(top_of(self.config.rootpath))
        self._environ = dict(os.environ)
        self._path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100
        try:
            return (yield)
        finally:
            interrupted = isinstance(sys.exc_info()[1], KeyboardInterrupt)
            if not interrupted and not self.config.option.collectonly:
                self._look(session)

    def _look(self, session: pytest.Session) -> None:
        """A defect of ours never costs the user the session."""
        if self.options.flaky_hunt is None and not self.options.flaky_reruns:
            return
        try:
            self._suspects(self._history(), session)
        except AipipeError as error:
            self.notes.append(" ".join(str(error).split()))
        except Exception:
            place = defect_file(self.config.rootpath, traceback.format_exc())
            self.notes.append(f"A defect of ours stopped the search; see {place}. [defect]")
        if self.diff is not None:
            self.diff.run.flaky = [finding.document() for finding in self.findings]

    def _history(self) -> dict[str, str]:
        """Remember the verdicts, and return those that changed without a changed cause."""
        from aipipe_core.store import open_store

        verdicts = outcomes(self.reports)
        top = top_of(self.config.rootpath)
        causes = Causes(top)
        digests = {
            nodeid: causes.digest(os.path.relpath(self._file(nodeid), top).replace(os.sep, "/"))
            for nodeid in verdicts
        }
        own_folder(self.config.rootpath)
        with open_store(self.store) as store:
            history = History(store)
            changed = history.changed(verdicts, digests)
            history.note(verdicts, digests)
        return changed

    def _file(self, nodeid: str) -> str:
        return os.path.realpath(self.config.rootpath / nodeid.partition("::")[0])

    def _suspects(self, changed: dict[str, str], session: pytest.Session) -> None:
        verdicts = outcomes(self.reports)
        failed = [nodeid for nodeid, outcome in verdicts.items() if outcome == "failed"]
        suspects = Suspects()
        if self.diff is not None:
            suspects.outside(failed, self.diff.run.trace, self.diff.run.change)
        suspects.earlier(changed, failed)
        # What passes now and failed before on the same code is as flaky as the other way round.
        again = {one: words for one, words in changed.items() if one not in suspects.reasons}
        own = [str(item.nodeid) for item in getattr(session, "items", ())] or list(verdicts)
        tests = [nodeid for nodeid in own if not nodeid.startswith(".aipipe/")]
        hunting = self.options.flaky_hunt is not None
        if hunting or (self.options.flaky_reruns and (suspects.reasons or again)):
            self._try(suspects.reasons, again, tests, hunting=hunting)

    def _try(
        self, failing: dict[str, str], again: dict[str, str], tests: list[str], *, hunting: bool
    ) -> None:
        """Rerun the failing suspects; explain and mend what is flaky."""
        from pytest_aipipe.flaky.mend.run import mend

        workplace = make_workplace(self.config.rootpath, self._known)
        try:
            lab = self._lab(workplace)
            reruns = rerun(lab, failing, self.options.flaky_reruns)
            self.notes += told(reruns)
            flaky = [one.nodeid for one in reruns if one.passes] + list(again)
            with progress_for(self.config) as progress:
                hunt = Hunt(lab, tests if hunting else flaky, neighbours=tests)
                hunt.say = lambda words: self._say(progress, words)
                hunt.experiments.say = hunt.say
                hunt.seconds = self._seconds(hunting=hunting)
                hunt.known = {one.nodeid: one.words for one in reruns if one.passes} | again
                if hunt.tests:
                    self.findings = hunt.run()
                    mend(self.findings, lab, hunt, write=self.options.flaky_fix)
            self.hunted = len(hunt.tests)
            self.notes += hunt.notes
        finally:
            workplace.close()

    def _args(self) -> list[str]:
        words = list(pytest_args(self.config))
        if not any(word.startswith("addopts=") for word in words):
            given = [str(word) for word in self.config.getini("addopts")]
            words += ["-o", f"addopts={shlex.join(given)}"] if given else []
        return words

    def _seconds(self, *, hunting: bool) -> float | None:
        minutes = self.options.flaky_hunt
        if not hunting or minutes is None:
            return SUSPECT_SECONDS
        return minutes * 60 if math.isfinite(minutes) else None

    def _lab(self, workplace: Workplace) -> Lab:
        return Lab(
            workplace,
            self.config.rootpath,
            self._args(),
            self._targets(),
            self._path,
            self._environ,
        )

    def _say(self, progress: Any, words: str) -> None:
        progress.step(f"flaky: {words}", done=0, total=self.hunted, left=0)

    def _targets(self) -> list[str]:
        """Return the paths and node ids that were asked for, as they are in the copy."""
        rootdir, origin = self.config.rootpath, Path(self.config.invocation_params.dir)
        words = []
        for word in self.config.args:
            path, colons, rest = str(word).partition("::")
            place = Path(os.path.abspath(origin / path))  # noqa: PTH100
            if not place.exists():
                words.append(str(word))
                continue
            words.append(f"{os.path.relpath(place, rootdir)}{colons}{rest}")
        return words

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the reports that nobody else writes."""
        if self.options.flaky_hunt is None:
            return
        report = document(self.findings, self.notes, base=_head(self.config.rootpath))
        text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
        write_text(own_folder(self.config.rootpath, "flaky") / "report.json", text)
        if self.diff is not None:
            return
        for request in self.options.reports:
            if request.type == "json":
                place = request.dest or own_folder(self.config.rootpath) / "report.json"
                write_text(place, text)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what was found; a session without suspects has nothing to show."""
        if self.options.flaky_hunt is None and not self.findings and not self.notes:
            return
        terminalreporter.ensure_newline()
        terminalreporter.section("ai-flaky", cyan=True)
        for text, markup in summary(self.findings, self.notes, self.hunted):
            terminalreporter.write_line(text, **markup)


def _head(folder: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", "HEAD"],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return ""
    return done.stdout.strip()
