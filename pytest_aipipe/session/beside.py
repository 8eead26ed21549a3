"""Work that is done in a thread, beside what the session does."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")


class Beside(Generic[Found]):
    """Begins ``work`` at once; it is given this object, to ask what is wanted of it.

    ``is_awaited`` says that there is nothing else to do any more, and ``is_halted`` that it is
    to end with what it has. What it raises is raised again by :meth:`result`. ``seconds`` is
    how long it took.
    """

    def __init__(self, work: Callable[[Beside[Found]], Found]) -> None:
        self.seconds = 0.0
        self._found: list[Found] = []
        self._error: BaseException | None = None
        self._halt, self._awaited = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=self._do, args=(work,), name="aipipe-beside", daemon=True
        )
        self._thread.start()

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for the end."""
        return self._awaited.is_set()

    @property
    def is_halted(self) -> bool:
        """Whether it is to end as soon as it can."""
        return self._halt.is_set()

    def _do(self, work: Callable[[Beside[Found]], Found]) -> None:
        started = time.monotonic()
        try:
            self._found.append(work(self))
        except BaseException as error:
            self._error = error
        self.seconds = time.monotonic() - started

    def wait(self) -> None:
        """Wait for the end of the work; an interrupt ends the waiting."""
        self._awaited.set()
        self._thread.join()

    def stop(self) -> None:
        """Halt the work where it goes on, and wait for its end."""
        self._halt.set()
        self._thread.join()

    def result(self) -> Found:
        """Return what the work found, once it ended."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found[0]
