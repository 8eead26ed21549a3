"""Processes that ``multiprocessing`` starts, of which no audit event tells but for a fork."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

NAME = "multiprocessing.process"


class Workers:
    """Tells ``started`` of each process. The module is not imported for it."""

    def __init__(self, started: Callable[[], None]) -> None:
        self._started = started
        self._undo: Callable[[], None] | None = None

    def listen(self, module: ModuleType | None = None) -> None:
        """Begin, once ``multiprocessing`` is there: to be called with each module that is new."""
        if module is None:
            module = sys.modules.get(NAME)
        if self._undo is not None or getattr(module, "__name__", "") != NAME:
            return
        process: Any = module.BaseProcess  # type: ignore[union-attr]
        original = process.start

        def start(mine: Any) -> None:
            self._started()
            original(mine)

        process.start = start
        self._undo = lambda: setattr(process, "start", original)

    def stop(self) -> None:
        """End."""
        if self._undo is not None:
            self._undo()
            self._undo = None

    @staticmethod
    def are_there() -> bool:
        """Whether a process was started and nobody has waited for its end."""
        return bool(getattr(sys.modules.get(NAME), "_children", ()))
