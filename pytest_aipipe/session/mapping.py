"""Bring the map up to date with the tests that ran in this process."""

from __future__ import annotations

import contextlib
import os
import traceback
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError
from pytest_aipipe.select.files import EVER, REMEMBERED
from pytest_aipipe.select.installed import installed
from pytest_aipipe.select.watch import EARLY, Project, Watch
from pytest_aipipe.session.folder import defect_file
from pytest_aipipe.session.selecting import open_map, remember_imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from aipipe_core.change.model import Change
    from pytest_aipipe.measure.recorder import Recorder
    from pytest_aipipe.session.host import Host


class Mapping:
    """Watches the tests of a session, and writes what was seen when they are done."""

    def __init__(self, change: Change, make: Callable[[Callable[[str], bool]], Recorder]) -> None:
        project = Project(os.path.realpath(change.root))
        self.recorder = make(lambda file: bool(project.path_of(file)))
        self.watch = Watch(project, self.recorder, installed(project.path_of))
        self._verdicts: dict[str, str] = {}
        self._seconds: dict[str, float] = {}
        self._done: set[str] = set()
        self.collected: set[str] = set()

    def noted(self, report: pytest.TestReport) -> None:
        """Take in a report of a test."""
        nodeid, before = report.nodeid, self._verdicts.get(report.nodeid, "")
        if report.failed or report.outcome not in ("passed", "skipped"):
            self._verdicts[nodeid] = "f"
        elif report.skipped and not hasattr(report, "wasxfail"):
            self._verdicts[nodeid] = before or "s"
        else:
            self._verdicts[nodeid] = before or ("p" if report.when == "call" else "")
        self._seconds[nodeid] = self._seconds.get(nodeid, 0.0) + report.duration
        if report.when == "teardown":
            self._done.add(nodeid)
            self.watch.look(nodeid)

    def write(self, host: Host) -> None:
        """Write what was seen. What goes wrong is noted and costs the user nothing else."""
        self.watch.stop()
        if not self.watch.on or host.collects_only:
            return
        try:
            with host.run.timed("map"):
                self._write(host)
        except AipipeError as error:
            host.run.note(f"The map was not written: {' '.join(str(error).split())}")
        except Exception:
            place = defect_file(host.run.change.root, traceback.format_exc())
            host.run.note(f"A defect of ours kept the map from being written; see {place}.")
        finally:
            self.watch.children.close()

    def _write(self, host: Host) -> None:
        from pytest_aipipe.select.testmap import (
            MAX_READS,
            Fresh,
            Known,
            TestMap,
            digest_of,
            stamp,
        )

        watch = self.watch
        watch.finish()
        fresh = Fresh(ran=watch.modules())
        for nodeid in self._done & watch.seen & host.run.items.keys():
            reads = watch.reads(nodeid)
            fresh.ran[nodeid] = watch.of(nodeid)
            fresh.tests[nodeid] = Known(
                "?" if nodeid in watch.blind else self._verdicts[nodeid] or "p",
                self._seconds[nodeid],
                watch.starts(nodeid),
                tuple(sorted(reads)) if len(reads) <= MAX_READS else None,
                stamp(),
            )
        for who in fresh.ran.keys() - fresh.tests.keys():
            fresh.reads[who] = sorted(watch.reads(who))
        if not fresh.tests:
            return
        fresh.reads[EARLY] = sorted(watch.early)
        fresh.reads[EVER] = sorted(watch.ear.opened(REMEMBERED))
        fresh.reads |= watch.asking_early()
        sources = {path: (digest_of(text), text) for path, text in watch.sink.sources.items()}
        store = open_map(host, writing=True)
        if store is not None:
            with store:
                tests = TestMap(store, watch.installed.environment)
                tests.write(fresh, sources)
                root = host.run.change.root
                tests.forget(self._gone(host), lambda path: not (root / path).exists())
        remember_imports(host, sources)

    def _gone(self, host: Host) -> Callable[[str], bool]:
        """Return what tells that a test is no more: its file is gone, or it was not collected.

        The latter only where nobody asked for less than whole files.
        """
        root, option = host.config.rootpath, host.config.option
        asked = bool(option.keyword or option.markexpr) or any("::" in a for a in host.config.args)
        files = {nodeid.partition("::")[0] for nodeid in self.collected}

        def gone(nodeid: str) -> bool:
            path = nodeid.partition("::")[0]
            if path in files:
                return not asked and nodeid not in self.collected
            return not (root / path).exists()

        return gone

    @contextlib.contextmanager
    def fixture(self, fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
        """Watch a fixture being set up."""
        with self.watch.setting_up(fixturedef):
            yield
