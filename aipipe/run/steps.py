"""``aipipe run`` as a list of steps: read, analyse, decide, run, tell."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aipipe.analyze import analyze, document
from aipipe.pipeline.load import DEFAULT_FILE, load_pipeline
from aipipe.run.agents import argv_of
from aipipe.run.folder import RunFolder, all_runs, find_run, home_of, new_run
from aipipe.run.key import Passed, tree_of
from aipipe.run.lock import only_run
from aipipe.run.plan import ANY_RUN, Decision, decide
from aipipe.run.record import Record, passed_before
from aipipe.run.report import in_words
from aipipe.run.schedule import Schedule
from aipipe.run.screen import Terminal
from aipipe.run.stage import Surroundings
from aipipe.run.survivors import kill_marked
from aipipe_core.change.document import as_document
from aipipe_core.change.git import run as git
from aipipe_core.change.spec import STAGED, WORKTREE
from aipipe_core.errors import AipipeError, ExitCode, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from aipipe.analyze import Analysis
    from aipipe.pipeline.model import Pipeline
    from aipipe_core.config import Settings


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for. ``resume`` is a run's id, empty for the last one."""

    spec: str | None = None
    pipeline: Path | None = None
    dry_run: bool = False
    resume: str | None = None
    jobs: int | None = None


def run(top: Path, request: Request, settings: Settings) -> int:
    """Run the pipeline on the change and return the command's exit code."""
    path = request.pipeline or top / DEFAULT_FILE
    pipeline = load_pipeline(path, path.name if request.pipeline is None else str(path))
    analysis = analyze(top, request.spec, settings)
    _check_head(top, analysis)
    screen = Terminal(max(len(stage.name) for stage in pipeline.stages))
    tree = _content(top, path)
    if request.dry_run:
        return _tell(pipeline, analysis, tree, screen)
    home = home_of(top)
    with only_run(home), _stopped_by_signals():
        _clear_crashed(home)
        folder, resumed = _folder(home, request)
        return _run(pipeline, analysis, tree, folder, resumed, screen, request.jobs)


def _check_head(top: Path, analysis: Analysis) -> None:
    """The stages run in the working tree: a range has to end there."""
    head = analysis.change.head
    if head in (STAGED, WORKTREE) or head == git(top, "rev-parse", "HEAD").text:
        return
    raise RequestError(
        "head-not-checked-out",
        f"The change ends at {head[:10]}, which is not what is checked out",
        where=str(top),
        hint=f"Check it out (git checkout {head[:10]}), or compare with the working tree.",
    )


def _content(top: Path, pipeline: Path) -> dict[str, str]:
    """Return the working tree without the pipeline's file: each key has its stage's part of it."""
    tree = tree_of(top)
    with suppress(ValueError):
        tree.pop(pipeline.resolve().relative_to(top.resolve()).as_posix(), None)
    return tree


def _tell(pipeline: Pipeline, analysis: Analysis, tree: Mapping[str, str], screen: Terminal) -> int:
    """Show what would run and why; nothing is written."""
    top = analysis.change.root
    route = analysis.route
    screen.say(
        f"Risk {analysis.risk.level} ({analysis.risk.probability:.0%}): tests {route.tests}, "
        f"build {route.build}, {route.strategy} release"
    )
    for decision in decide(pipeline, analysis, tree, Passed(top / ".aipipe")):
        verb = {"run": "would run", "keep": "would be kept", "skip": "would be passed by"}
        stage = decision.stage
        screen.say(f"{stage.name}: {verb[decision.action]}, {decision.why}")
        if stage.depends_on:
            screen.say(f"    after {', '.join(stage.depends_on)}")
        if decision.action == "run":
            screen.say(f"    $ {_shown(argv_of(stage, analysis, ANY_RUN))}")
    return ExitCode.DONE


def _shown(argv: list[str]) -> str:
    import shlex

    if argv[:2] == ["/bin/sh", "-ec"]:
        return "\n      ".join(argv[2].strip().splitlines())
    return shlex.join(argv)


def _folder(home: Path, request: Request) -> tuple[RunFolder, Mapping[str, str]]:
    """Return the run's directory and the keys of what it has passed already."""
    if request.resume is None:
        return new_run(home), {}
    folder = find_run(home, request.resume or None)
    before = folder.read()
    if before["state"] == "passed":
        raise RequestError(
            "run-over",
            f"The run {folder.name} has passed; there is nothing to resume",
            where=str(folder.path),
            hint="Start a new one: aipipe run.",
        )
    return folder, passed_before(before)


def _run(
    pipeline: Pipeline,
    analysis: Analysis,
    tree: Mapping[str, str],
    folder: RunFolder,
    resumed: Mapping[str, str],
    screen: Terminal,
    jobs: int | None,
) -> int:
    home = folder.path.parent.parent
    top, passed = analysis.change.root, Passed(home)
    folder.write("change", as_document(analysis.change))
    folder.write("risk", document(analysis))
    decisions = decide(pipeline, analysis, tree, passed, run=folder.name, resumed=resumed)
    record = Record(folder, pipeline, analysis)
    record.save()
    screen.say(f"Run {folder.name} in {folder.path.relative_to(top)}")
    around = Surroundings(folder, analysis, dict(os.environ), screen, threading.Event())

    def remember(decision: Decision) -> None:
        if decision.stage.cache and _is_untouched(tree, tree_of(top)):
            passed.add(decision.key)

    schedule = Schedule(
        decisions, record, around, screen, jobs=jobs or os.cpu_count() or 1, passed=remember
    )
    record.state = "interrupted"  # what a defect of ours leaves behind
    try:
        record.state = schedule.run()
    finally:
        record.save()
        passed.prune()
    screen.say("\n" + in_words(record.document()))
    return {"passed": ExitCode.DONE, "failed": ExitCode.NO}.get(record.state, ExitCode.INTERRUPTED)


def _is_untouched(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether no file that was there changed: an edit under way makes a verdict nobody's."""
    return all(now.get(path) == content for path, content in before.items())


def _clear_crashed(home: Path) -> None:
    """End what a runner that was killed left running, and say in its run that it was.

    The lock is ours, so that a run that says it is running is not.
    """
    for folder in all_runs(home)[-5:]:
        try:
            found: dict[str, Any] = folder.read()
        except AipipeError:
            continue
        if found["state"] != "running":
            continue
        kill_marked(f"{folder.name}:")
        found["state"] = "interrupted"
        for stage in found["stages"]:
            if stage["state"] in ("running", "waiting"):
                stage["state"], stage["why"] = "interrupted", "the runner was killed"
        folder.write("run", found)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP stop a run as Ctrl-C does: nothing may be left running."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
