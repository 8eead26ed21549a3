"""Lines and arcs of the changed files, measured by coverage.py itself.

One measurement is kept for the process: it begins before the project's first import and is
begun anew for each candidate. Arcs leave this process as they were seen; the parent
translates them to the terms of coverage.py's reports.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import coverage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RawArcs = dict[str, list[tuple[int, int]]]


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

    def loaded(self) -> frozenset[str]:
        """Return those of the files, by their repository-relative paths, that are imported."""
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        return frozenset(path for name, path in self.paths.items() if name in files)

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
