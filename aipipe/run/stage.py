"""One stage from its start to its verdict: attempts, the watch, what follows a failure."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aipipe.run.agents import argv_of, environment_of
from aipipe.run.explain import explain
from aipipe.run.output import Output
from aipipe.run.process import Ended, run_process
from aipipe.run.watch import watch
from aipipe_core.change.git import run as git

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from aipipe.analyze import Analysis
    from aipipe.pipeline.model import Stage
    from aipipe.run.folder import RunFolder
    from aipipe.run.output import Screen
    from aipipe.run.record import StageState

NO_TESTS = 5
"""Pytest's exit code where it collected nothing."""
RETRY, CONTINUE = "retry_once", "continue"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every stage of a run shares."""

    folder: RunFolder
    analysis: Analysis
    outer: Mapping[str, str]
    screen: Screen
    stop: threading.Event


class StageRun:
    """Runs one stage and writes its outcome into ``state``."""

    def __init__(self, stage: Stage, state: StageState, around: Surroundings) -> None:
        self.stage = stage
        self.state = state
        self.around = around
        self.argv = argv_of(stage, around.analysis, around.folder.path)
        self.output: Output | None = None

    def run(self) -> None:
        """Run to the end; every outcome, a defect of ours included, becomes a state."""
        begun = time.monotonic()
        log = self.around.folder.log(self.stage.name)
        self.state.log = str(log.relative_to(self.around.folder.path))
        output = self.output = Output(self.stage.name, log, self.around.screen)
        try:
            ended = self._attempts(output)
            if ended.passed:
                ended = self._watched(output, ended)
        finally:
            output.end_line()
            output.close()
            self.state.seconds = time.monotonic() - begun
            self.state.bytes, self.state.left_out_bytes = output.seen, output.left_out
        self._conclude(ended)

    def _attempts(self, output: Output) -> Ended:
        most = 2 if RETRY in self.stage.on_failure else 1
        while True:
            self.state.attempts += 1
            ended = self._start(self.argv, self.stage.timeout, output)
            if ended.code == NO_TESTS and self._is_untested():
                self.state.why = "there is no test in this repository yet"
                output.note(f"{self.state.why}: pytest --ai-diff --ai-write writes the first")
                return replace(ended, code=0)
            if ended.left_behind:
                count = ended.left_behind
                output.note(f"{count} process{'es' * (count != 1)} it left behind: killed")
            if ended.passed or ended.stopped or self.state.attempts >= most:
                return ended
            output.note(f"{ended.words}; once more")

    def _is_untested(self) -> bool:
        """Whether nothing was found because the repository has no file of tests at all."""
        patterns = ("test_*.py", "*_test.py", "tests.py", "**/test_*.py", "**/*_test.py")
        listed = ("ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns)
        top = self.around.analysis.change.root
        found = git(top, *listed, environ={"GIT_LITERAL_PATHSPECS": "0"}, check=False)
        return self.stage.uses == "tests" and found.code == 0 and not found.out

    def _start(self, argv: Sequence[str], timeout: float, output: Output) -> Ended:
        around = self.around
        folder = around.analysis.change.root / self.stage.directory
        return run_process(
            argv,
            folder=folder,
            environment=environment_of(
                self.stage, around.analysis, around.folder.path, around.outer
            ),
            mark=f"{around.folder.name}:{secrets.token_hex(8)}",
            timeout=timeout,
            grace=self.stage.grace,
            output=output,
            stop=around.stop,
        )

    def _watched(self, output: Output, ended: Ended) -> Ended:
        """Watch what the stage made; return how it all ended."""
        monitor, anomaly = self.stage.monitor, self.stage.on_anomaly
        if monitor is None or not monitor.command:
            return ended
        output.note(f"watched for {monitor.seconds:g} s")
        found = watch(
            monitor, lambda argv, limit: self._start(argv, limit, output), self.around.stop
        )
        if self.around.stop.is_set():
            return Ended(None, ended.seconds, stopped=True)
        if not found:
            return ended
        self.state.why = f"while it was watched, {found}"
        output.note(self.state.why)
        if anomaly.action == "continue":
            return ended
        if anomaly.action == "command":
            undone = self._start(anomaly.command, self.stage.timeout, output)
            how = "undone" if undone.passed else f"undoing it failed ({undone.words})"
            self.state.why += f"; {how}"
        return Ended(1, ended.seconds)

    def _conclude(self, ended: Ended) -> None:
        state = self.state
        state.code = ended.code
        if ended.passed:
            state.state = "passed"
            if state.attempts > 1:
                state.why = state.why or "at the second attempt: look whether it is flaky"
            return
        if ended.stopped:
            state.state, state.why = "interrupted", "the run was interrupted"
            return
        state.state, state.why = "failed", state.why or ended.words
        log = self.around.folder.path / state.log
        state.explanation = explain(self.stage, self.argv, ended, log, self.around.analysis.change)
