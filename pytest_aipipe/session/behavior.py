"""Compare base and head: the session's step, its share of the budget, and what it writes.

Catching tests state what the base did. They stand in a folder of their own, which no session
collects; its conftest keeps a plain ``pytest`` away from it as well, unless it is named.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_aipipe.compare.files import FOLDER
from pytest_aipipe.compare.model import Announced
from pytest_aipipe.progress import LineProgress
from pytest_aipipe.session import accepting
from pytest_aipipe.session.ask import build_request
from pytest_aipipe.session.base import base_files
from pytest_aipipe.session.beside import Beside
from pytest_aipipe.session.model import shared_engine
from pytest_aipipe.session.written import free_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from aipipe_core.change.model import FileChange
    from pytest_aipipe.compare.model import Compared
    from pytest_aipipe.generate.model import Candidate
    from pytest_aipipe.session.host import Host

SHARE = 1 / 6
"""Of the budget, for comparing, however long generation takes."""

ALONE = 3 / 8
"""Of the budget, where there was nothing to generate."""

TOGETHER = 3 / 10
"""Of the budget: what exploring was quick with goes to comparing, up to this for the two."""

BESIDE = 1 / 4
"""Of the budget, beside what makes the new tests stronger: two at a time are slower. Once there
is nothing else to wait for, no more than ``SHARE`` is spent on looking."""

APART = 1 / 2
"""Of the comparison's share: what generation leaves for it, the rest of which is beside it."""

OPINIONS = 1 / 4
"""Of the comparison's time, for questions to a model, in addition to it."""

LEAST = 3.0
"""Seconds below which comparing is not begun: two child processes have to come up first."""

CONFTEST = '''\
"""These tests state what the code did before a change. They fail where it does so no more,
and are collected only when this folder, or a file in it, is named on the command line."""

from pathlib import Path

HERE = Path(__file__).resolve().parent


def pytest_ignore_collect(collection_path, config):
    named = [Path(str(word).partition("::")[0]) for word in config.args]
    places = [config.invocation_params.dir / word for word in named]
    return None if any(HERE in (p, *p.parents) for p in map(Path.resolve, places)) else True
'''


class Behavior:
    """Comparing, as one session does it. ``share`` is what it takes of the budget at least."""

    def __init__(self, host: Host) -> None:
        self._host = host
        options = host.run.options
        self._waiting: list[Path] = []
        if options.accept is not None:
            self._waiting = accepting.waiting(self._folder, options.accept)
        self._asked = (
            options.behavior
            and not self._waiting
            and options.budget >= LEAST
            and tuple(options.engines) != ("none",)
        )
        self.share = SHARE * options.budget if self._asked and self._has_places() else 0.0
        self._began = time.monotonic()
        self._beside: Beside[Compared] | None = None

    @property
    def reserved(self) -> float:
        """The seconds of the budget that generation has to leave."""
        return APART * self.share

    def _has_places(self) -> bool:
        """Whether there is code that may behave differently on the two sides."""
        from pytest_aipipe.compare.run import has_places

        return has_places(build_request(self._host, 0), self._host.run.change)

    def begin(self, tests: Sequence[Candidate]) -> None:
        """Compare in a thread from now on; ``tests`` were found for other ends."""
        if self._waiting or not self.share or self._beside is not None:
            return
        left = TOGETHER * self._host.run.options.budget - (time.monotonic() - self._began)
        self._start(max(BESIDE * self._host.run.options.budget, left), tests)

    def _start(self, budget: float, tests: Sequence[Candidate]) -> None:
        work = self._comparison(budget, tests)
        self._beside = Beside(work) if work is not None else None

    def wait(self) -> None:
        """Wait for the end of what was begun."""
        if self._beside is not None:
            self._beside.wait()

    def stop(self) -> None:
        """End what is still going on early, and wait for its end."""
        if self._beside is not None:
            self._beside.stop()

    def compare(self) -> None:
        """Set ``run.compared`` and write the catching tests of it, or accept what is there."""
        run = self._host.run
        if self._waiting:
            self._accept(self._waiting)
            return
        if not self.share:
            if self._asked:
                self._clear()
            if run.options.accept is not None:
                self._accept([])
            return
        if self._beside is None:
            self._start(ALONE * run.options.budget, ())
        if self._beside is None:
            return
        found = self._beside.result()
        run.timing["compare"] = self._beside.seconds
        for note in found.notes:
            run.note(note)
        found = self._with_opinions(found, self.share)
        try:
            self._write(found)
        except BaseException:
            self._clear()
            raise
        run.compared = found
        if run.options.accept is not None:
            self._accept(accepting.waiting(self._folder, run.options.accept))

    def _accept(self, files: list[Path]) -> None:
        run = self._host.run
        if not files:
            run.note("There is no catching test to accept. [nothing-to-accept]")
            return
        with run.timed("accept"):
            accepting.accept_all(self._host, files)
        if not accepting.waiting(self._folder, ""):
            self._clear()

    def _comparison(
        self, budget: float, tests: Sequence[Candidate]
    ) -> Callable[[Beside[Compared]], Compared] | None:
        """Return the work that compares within ``budget``, None where there is no base."""
        from pytest_aipipe.compare.run import compare
        from pytest_aipipe.generate.surroundings import launcher

        host, run = self._host, self._host.run
        try:
            base = base_files(run.change)
        except OSError as error:
            run.note(f"Base and head were not compared: {error}")
            return None
        request = build_request(host, budget)
        change = replace(run.change, files=tuple(self._of_the_user()))
        candidates = [*self._known(), *tests]

        plain = time.monotonic() + self.share

        def work(beside: Beside[Compared]) -> Compared:
            launch = launcher(request, run.note)
            try:
                return compare(
                    request,
                    change,
                    base,
                    LineProgress(None),
                    budget=budget,
                    launch=launch.start,
                    candidates=candidates,
                    halted=lambda: beside.is_halted,
                    enough=lambda: beside.is_awaited and time.monotonic() >= plain,
                )
            finally:
                launch.close()

        return work

    def _known(self) -> Iterator[Candidate]:
        """Yield the catching tests of the run before: what was seen once is looked for first."""
        from pytest_aipipe.compare.accept import candidate_of

        for file in accepting.waiting(self._folder, ""):
            candidate = candidate_of(file.read_text("utf-8"))
            if candidate is not None:
                yield candidate

    def _with_opinions(self, found: Compared, budget: float) -> Compared:
        """Ask the model, where there is one that may see the change, about what is unsure."""
        host, run = self._host, self._host.run
        unsure = any(change.announced is Announced.UNSURE for change in found.changes)
        engine = shared_engine(host) if unsure and run.options.send == "diff" else None
        if engine is None:
            return found
        from pytest_aipipe.compare.opinion import with_opinions

        changes = with_opinions(
            found.changes,
            run.change.message,
            partial(engine.client.ask, seconds=budget * OPINIONS),
            seconds=budget * OPINIONS,
        )
        run.llm = {**run.llm, **engine.client.ledger.summary()}
        given = sum(change.by_model for change in changes)
        run.note(f"A model was asked whether behaviour changes were meant: {given} verdicts.")
        return replace(found, changes=changes)

    def _of_the_user(self) -> Iterator[FileChange]:
        """Yield the changed files without the tests that we wrote: these announce nothing."""
        run = self._host.run
        for file in run.change.files:
            if not self._host.admission.ledger.is_ours(run.change.root / file.path):
                yield file

    @property
    def _folder(self) -> Path:
        run = self._host.run
        if run.target is None:
            run.target = build_request(self._host, 0).target
        return self._host.admission.folder() / FOLDER

    def _clear(self) -> None:
        """Take away the catching tests of earlier runs that nobody has edited."""
        ledger = self._host.admission.ledger
        for old in ledger.ours_in(self._folder):
            ledger.remove(old)
        if self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()

    def _write(self, found: Compared) -> None:
        run, folder, ledger = self._host.run, self._folder, self._host.admission.ledger
        self._clear()
        if not found.changes:
            return
        conftest = folder / "conftest.py"
        if not conftest.exists():
            ledger.write(conftest, CONFTEST)
        for change in found.changes:
            file = folder / free_name(folder, change.file_name, ledger)
            ledger.write(file, change.test)
            run.behavior_files[change.file_name] = file
