"""One line on the terminal that says what is being done, how far, and the budget left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import pytest

INTERVAL = 0.1
"""Seconds between two drawings; a terminal over a slow line is not flooded."""


class LineProgress:
    """Draws on ``reporter``'s terminal, or nowhere when ``reporter`` is None."""

    def __init__(self, reporter: pytest.TerminalReporter | None) -> None:
        self._reporter = reporter
        self._drawn = 0.0
        self._dirty = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Clear the line."""
        if self._reporter is not None and self._dirty:
            self._reporter.rewrite("", erase=True)
            self._reporter.rewrite("")

    def step(self, text: str, *, done: int, total: int, left: float) -> None:
        """Say what is being worked on, how far, and how many seconds are left."""
        now = time.monotonic()
        if self._reporter is None or now - self._drawn < INTERVAL:
            return
        if not self._dirty:
            self._reporter.ensure_newline()
        self._drawn, self._dirty = now, True
        width = self._reporter._tw.fullwidth - 1  # noqa: SLF001 - the reporter shows no other way
        self._reporter.rewrite(line(text, done, total, left)[:width], erase=True, cyan=True)


def line(text: str, done: int, total: int, left: float) -> str:
    """Return the line's words."""
    return f"ai-diff: [{done}/{total}] {text} - {max(left, 0):.0f} s left"


def progress_for(config: pytest.Config) -> LineProgress:
    """Return progress that is drawn on a terminal, and silent when piped or with ``-qq``."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    loud = config.option.verbose > -2 and getattr(reporter, "isatty", False)  # noqa: PLR2004
    return LineProgress(reporter if loud else None)
