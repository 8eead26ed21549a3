"""The hunt inside a pytest session: after the tests have run, and before the reports are made.

One host in the process that the user started; a worker of xdist has nothing to do with it.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.config import load
from aipipe_core.errors import AipipeError
from pytest_aipipe import options
from pytest_aipipe.flaky.hunt import Hunt
from pytest_aipipe.flaky.lab import Lab
from pytest_aipipe.flaky.report import document, summary
from pytest_aipipe.flaky.workplace import make_workplace
from pytest_aipipe.progress import progress_for
from pytest_aipipe.session.ask import pytest_args
from pytest_aipipe.session.folder import defect_file, own_folder, write_text
from pytest_aipipe.session.start import NAME as DIFF
from pytest_aipipe.session.start import layers, untangle

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.options import Options

NAME = "aipipe-flaky"


def start(config: pytest.Config, args: list[str]) -> None:
    """Register the host. Raises :class:`pytest.UsageError` for a request that cannot be met."""
    untangle(config, args)
    try:
        settings = load(config.rootpath, environ=os.environ, flags={})
    except AipipeError as error:
        raise pytest.UsageError(" ".join(str(error).split())) from error
    asked = options.read(config, layers(settings))
    if asked.flaky_hunt is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FlakyHost(config, asked), NAME)


class FlakyHost:
    """Hunts when the tests are done. ``findings`` is what it found."""

    def __init__(self, config: pytest.Config, asked: Options) -> None:
        self.config, self.options = config, asked
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.hunted = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Hunt after the tests, whatever became of them."""
        try:
            return (yield)
        finally:
            interrupted = isinstance(sys.exc_info()[1], KeyboardInterrupt)
            if not interrupted and not self.config.option.collectonly:
                self._hunt(session)

    def _hunt(self, session: pytest.Session) -> None:
        """A defect of ours never costs the user the session."""
        try:
            self.findings = self._look(self._tests(session))
        except AipipeError as error:
            self.notes.append(" ".join(str(error).split()))
        except Exception:
            place = defect_file(self.config.rootpath, traceback.format_exc())
            self.notes.append(f"A defect of ours stopped the hunt; see {place}. [defect]")
        diff: Any = self.config.pluginmanager.getplugin(DIFF)
        if diff is not None:
            diff.run.flaky = [finding.document() for finding in self.findings]

    def _tests(self, session: pytest.Session) -> list[str]:
        """Return the session's tests; under xdist the controller has not collected any."""
        own = [str(item.nodeid) for item in getattr(session, "items", ())]
        return [nodeid for nodeid in own if not nodeid.startswith(".aipipe/")]

    def _look(self, tests: list[str]) -> list[Finding]:
        from pytest_aipipe.flaky.mend.run import mend

        workplace = make_workplace(self.config.rootpath)
        try:
            lab = Lab(
                workplace,
                self.config.rootpath,
                pytest_args(self.config),
                self._targets(),
                [os.path.abspath(entry) for entry in sys.path],  # noqa: PTH100
            )
            with progress_for(self.config) as progress:
                hunt = Hunt(lab, tests, say=lambda words: self._say(progress, words))
                if self.options.flaky_hunt is not None and math.isfinite(self.options.flaky_hunt):
                    hunt.seconds = self.options.flaky_hunt * 60
                findings = hunt.run()
                mend(findings, lab, hunt, write=self.options.flaky_fix)
            self.hunted = len(hunt.tests)
            self.notes += hunt.notes
            return findings
        finally:
            workplace.close()

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
        report = document(self.findings, self.notes, base=_head(self.config.rootpath))
        text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
        write_text(own_folder(self.config.rootpath, "flaky") / "report.json", text)
        if self.config.pluginmanager.getplugin(DIFF) is not None:
            return
        for request in self.options.reports:
            if request.type == "json":
                place = request.dest or own_folder(self.config.rootpath) / "report.json"
                write_text(place, text)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what was found."""
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
