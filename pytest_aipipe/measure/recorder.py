"""A coverage.py of our own: in memory, with branches, the current test as its context.

It reads no configuration and writes no file, so that the project's own ``.coverage`` and
``.coveragerc`` are neither used nor disturbed. Where pytest-cov measures at the same
time, coverage.py pauses its tracer while ours runs (only the collector started last is
traced), so ours measures what pytest-cov would as well and
:mod:`pytest_aipipe.measure.outer` hands that over at the end.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

from coverage import Coverage

from pytest_aipipe.measure.trace import OUTSIDE, Trace, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import FrameType

PHASE_SEPARATOR = "|"
"""Between node id and phase, as pytest-cov's ``--cov-context=test`` has it."""


class _Tracer(Coverage):
    """Coverage that is silent and also traces what an outer measurement wants."""

    outer: Callable[[], Any] | None = None
    ours: Callable[[str], bool] = staticmethod(lambda _: True)

    def _should_trace(self, filename: str, frame: FrameType) -> Any:
        mine = super()._should_trace(filename, frame)
        if mine.trace and not self.ours(mine.source_filename or filename):
            mine.trace = False
        if mine.trace or self.outer is None:
            return mine
        theirs = self.outer()
        return mine if theirs is None else theirs._should_trace(filename, frame)  # noqa: SLF001

    def _warn(self, *_: Any, **__: Any) -> None:
        """Say nothing: that a file never ran is our subject, not a warning."""


class Recorder:
    """Records which arcs of ``paths`` run, and in which test.

    ``paths`` are repository-relative, under ``root``. ``outer`` returns the Coverage of a
    second measurement in this process, or None. With ``also``, the files under ``root`` of
    which it is true are traced as well; what becomes of them is for a
    :class:`~pytest_aipipe.select.sink.Sink` to say.
    """

    def __init__(
        self,
        root: Path,
        paths: Iterable[str],
        outer: Callable[[], Any] | None = None,
        also: Callable[[str], bool] | None = None,
    ) -> None:
        self.by_file = {os.path.realpath(root / path): path for path in paths}
        # An empty include list would mean everything; this pattern matches nothing.
        patterns = [_pattern(file) for file in self.by_file] or ["/aipipe-measures-nothing"]
        if also is not None:
            patterns = [f"{_pattern(os.path.realpath(root))}/*"]
        self.coverage = _Tracer(
            data_file=None, branch=True, config_file=False, include=patterns, messages=False
        )
        # The C tracer knows contexts; sys.monitoring (the default from Python 3.14) does not.
        _set_quietly(self.coverage, "run:core", "ctrace")
        self.coverage.outer = outer
        if also is not None:
            self.coverage.ours = lambda file: file in self.by_file or also(os.path.realpath(file))
        self.running = False

    def start(self) -> None:
        """Begin, or go on; what was recorded stays."""
        if not self.running:
            self.coverage.start()
            self.running = True

    def stop(self) -> None:
        """Pause. Whoever measured before us is traced again."""
        if self.running:
            self.coverage.stop()
            self.running = False

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Trace nothing for the length of the block: work of our own, that nobody asks about."""
        collector: Any = getattr(self.coverage, "_collector", None)
        if not self.running or not hasattr(collector, "pause"):
            yield
            return
        collector.pause()
        try:
            yield
        finally:
            collector.resume()

    def close(self) -> None:
        """End for good and let go of the data, before Python 3.13 warns that nobody did."""
        self.stop()
        self.coverage.get_data().close(force=True)

    def forget_files(self) -> None:
        """Ask again for every file whether it is measured: the outer measurement is another one."""
        collector = getattr(self.coverage, "_collector", None)
        getattr(collector, "should_trace_cache", {}).clear()

    def switch(self, context: str) -> None:
        """Attribute what runs from now on to ``context``."""
        if self.running:
            self.coverage.switch_context(context)

    def is_tracing(self) -> bool:
        """Whether it is still us who traces this thread; True where that cannot be told."""
        collector: Any = getattr(self.coverage, "_collector", None)
        tracers = getattr(collector, "tracers", None)
        return not self.running or not tracers or sys.gettrace() in tracers

    def trace_again(self) -> None:
        """Take tracing back from code that took it, as tests of debuggers do."""
        collector: Any = getattr(self.coverage, "_collector", None)
        if self.running and hasattr(collector, "pause"):
            sys.settrace(None)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                collector.pause()
                collector.resume()

    def flush(self) -> None:
        """Hand over what was traced so far."""
        collector = getattr(self.coverage, "_collector", None)
        if collector is not None:
            collector.flush_data()

    def wants(self, file: str) -> bool:
        """Whether the session's own figures, or an outer measurement, need ``file``."""
        return self.coverage.outer is not None or file in self.by_file

    def trace(self) -> Trace:
        """Return what ran so far in the measured files."""
        data = self.coverage.get_data()
        contexts = data.measured_contexts()
        parts: list[Trace] = []
        for file in data.measured_files() & self.by_file.keys():
            for context in contexts:
                data.set_query_context(context)
                arcs = data.arcs(file)
                if arcs:
                    parts.append({nodeid_of(context): {self.by_file[file]: frozenset(arcs)}})
            data.set_query_contexts(None)
        return merge(parts)


def nodeid_of(context: str) -> str:
    """Return the node id of a context ``nodeid|phase``; "" outside every test."""
    return context.rpartition(PHASE_SEPARATOR)[0] if context else OUTSIDE


def _pattern(file: str) -> str:
    """Return a coverage.py glob for exactly this file: its special signs match any one sign."""
    return re.sub(r"[\[\]*?{}]", "?", file)


def _set_quietly(coverage: Coverage, option: str, value: str) -> None:
    """Set an option that older releases of coverage.py do not know."""
    try:
        coverage.set_option(option, value)
    except Exception:
        return
