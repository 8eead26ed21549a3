"""Runs the stages of a pipeline: each as soon as all that it waits for are over."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from aipipe.run.record import OVER
from aipipe.run.stage import CONTINUE, StageRun, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aipipe.pipeline.model import Stage
    from aipipe.run.plan import Decision
    from aipipe.run.record import Record
    from aipipe.run.screen import Terminal

MARKS = {"passed": "ok", "failed": "FAILED", "interrupted": "stopped"}


class Schedule:
    """One pass over the decisions, at most ``jobs`` stages at a time."""

    def __init__(
        self,
        decisions: Sequence[Decision],
        record: Record,
        around: Surroundings,
        screen: Terminal,
        *,
        jobs: int,
        passed: Callable[[Decision], None],
    ) -> None:
        self.decisions = {decision.stage.name: decision for decision in decisions}
        self.record = record
        self.around = around
        self.screen = screen
        self.jobs = jobs
        self.passed = passed
        self.done: queue.SimpleQueue[tuple[str, BaseException | None]] = queue.SimpleQueue()
        self.running: dict[str, threading.Thread] = {}

    def run(self) -> str:
        """Run everything; return the run's state. ``KeyboardInterrupt`` stops all and is one."""
        try:
            while self._advance() or self.running:
                if self.running:
                    self._collect(*self.done.get())
        except KeyboardInterrupt:
            self._stop()
            return "interrupted"
        except BaseException:
            self._stop()
            raise
        failed = [state for state in self.record.stages.values() if state.state == "failed"]
        return "failed" if any(not self._is_forgiven(state.name) for state in failed) else "passed"

    def _advance(self) -> bool:
        """Settle and start what can be; return whether anything moved."""
        moved = False
        for name, decision in self.decisions.items():
            state = self.record.stages[name]
            if state.state != "waiting" or not self._is_free(decision.stage):
                continue
            if self._blocker(decision.stage):
                state.state = "blocked"
                state.why = f"{self._blocker(decision.stage)} did not pass"
                self.screen.say(f"-- {name}: blocked, {state.why}")
            elif decision.action == "run":
                if len(self.running) >= self.jobs:
                    continue
                self._start(decision)
            else:
                state.state = "passed" if decision.action == "keep" else "skipped"
                state.why, state.key = decision.why, decision.key
                word = "kept" if decision.action == "keep" else "passed by"
                self.screen.say(f"-- {name}: {word}, {decision.why}")
            moved = True
        if moved:
            self.record.save()
        return moved

    def _is_free(self, stage: Stage) -> bool:
        """Whether nothing that the stage waits for is still to come."""
        states = (self.record.stages[name].state for name in stage.depends_on)
        return all(state not in ("waiting", "running") for state in states)

    def _blocker(self, stage: Stage) -> str:
        for name in stage.depends_on:
            if self.record.stages[name].state not in OVER and not self._is_forgiven(name):
                return name
        return ""

    def _is_forgiven(self, name: str) -> bool:
        failed = self.record.stages[name].state == "failed"
        return failed and CONTINUE in self.decisions[name].stage.on_failure

    def _start(self, decision: Decision) -> None:
        name = decision.stage.name
        state = self.record.stages[name]
        state.state, state.key, state.why = "running", decision.key, ""
        self.screen.say(f"-> {name}: {decision.why}")
        job = StageRun(decision.stage, state, self.around)

        def work() -> None:
            try:
                job.run()
            except BaseException as error:
                self.done.put((name, error))
            else:
                self.done.put((name, None))

        thread = threading.Thread(target=work, name=f"stage {name}", daemon=True)
        self.running[name] = thread
        thread.start()

    def _collect(self, name: str, error: BaseException | None) -> None:
        self.running.pop(name).join()
        if error is not None:
            raise error
        state = self.record.stages[name]
        self.record.save()
        mark = MARKS.get(state.state, state.state)
        why = f", {state.why}" if state.why else ""
        self.screen.say(f"== {name}: {mark} in {state.seconds:.1f} s{why}")
        if state.state == "passed":
            self.passed(self.decisions[name])

    def _stop(self) -> None:
        """End every running stage and wait for them; further interrupts change nothing."""
        self.around.stop.set()
        for name, thread in list(self.running.items()):
            while thread.is_alive():
                try:
                    thread.join(0.5)
                except KeyboardInterrupt:
                    self.screen.say(f"   stopping {name}")
        for state in self.record.stages.values():
            if state.state in ("waiting", "running"):
                state.state, state.why = "interrupted", "the run was interrupted"
