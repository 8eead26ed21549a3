"""Lines and arcs of the changed files, measured by coverage.py itself.

One measurement is kept for the process: it begins before the project's first import and is
begun anew for each candidate. Arcs leave this process as they were seen; the parent
translates them to the terms of coverage.py's reports.
"""

from __future__ import annotations

import sys
import warnings
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import coverage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

Arc = tuple[int, int]
RawArcs = dict[str, list[Arc]]


class Arcs(coverage.CoverageData):
    """The arcs of one measurement, in sets.

    coverage.py's own data is a database, made to be saved and combined. What is kept for one
    candidate and then read once needs none, and to open one costs a sixth of a candidate.
    """

    def __init__(self) -> None:
        super().__init__(no_disk=True)
        self._arcs: dict[str, set[Arc]] = defaultdict(set)

    def __bool__(self) -> bool:
        return True

    def set_context(self, context: str | None) -> Any:
        """Know no contexts: there is one test at a time."""

    def add_arcs(self, arc_data: Mapping[str, Collection[Arc]]) -> None:
        """Add arcs, by file name."""
        for name, arcs in arc_data.items():
            self._arcs[name].update(arcs)

    def add_file_tracers(self, file_tracers: Mapping[str, str]) -> None:
        """Know no plugins: there are none without a configuration."""

    def arcs(self, filename: str) -> list[Arc] | None:
        """Return the arcs of a file, None where it was not measured."""
        return list(self._arcs[filename]) if filename in self._arcs else None

    def erase(self, parallel: bool = False) -> None:  # noqa: FBT001, FBT002 - the base's own
        """Forget everything."""
        del parallel
        self._arcs.clear()


class Tracer:
    """Measures ``files``: absolute file name to repository-relative path."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.paths = dict(files)
        self._coverage = coverage.Coverage(
            data_file=None,
            branch=True,
            include=list(self.paths),
            config_file=False,
            messages=False,
        )
        self._coverage.set_option("run:disable_warnings", ["no-data-collected", "no-sysmon"])
        # There is no public way to say where data goes; where this one ends, it goes to a
        # database as usual.
        self._coverage._data = Arcs()  # noqa: SLF001
        self._known = 0
        self._loaded: frozenset[str] = frozenset()

    def loaded(self) -> frozenset[str]:
        """Return those of the files, by their repository-relative paths, that are imported.

        Asked before a fork, it answers there at once: to look at each module again would copy
        the pages that hold them.
        """
        if self._known != len(sys.modules):
            files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
            self._loaded = frozenset(path for name, path in self.paths.items() if name in files)
            self._known = len(sys.modules)
        return self._loaded

    def start(self) -> None:
        """Begin to measure, with nothing seen so far."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Only the data is thrown away: beginning all of coverage.py anew takes 50 ms.
            self._coverage.get_data().erase()
            self._coverage.start()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do without measuring what is worth looking at, but is not the test's own doing."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._coverage.stop()
        try:
            yield
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._coverage.start()

    def stop(self) -> RawArcs:
        """End the measurement and return the arcs seen, by repository-relative path."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._coverage.stop()
            data = self._coverage.get_data()
        seen: RawArcs = {}
        for name, path in self.paths.items():
            arcs = data.arcs(name)
            if arcs:
                seen[path] = sorted(set(arcs))
        return seen
