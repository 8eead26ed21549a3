"""Questions asked in the background, a few at a time, each given up with the process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aipipe_core.llm import Answer


class Later:
    """An answer that is on its way. ``answer`` or ``error`` is set once ``ready``."""

    def __init__(self, ask: Callable[[], Answer], gate: threading.Semaphore) -> None:
        self.answer: Answer | None = None
        self.error: Exception | None = None
        self._done = threading.Event()
        self._ask = ask
        self._gate = gate
        # A daemon: a server that hangs must not keep the interpreter from ending.
        threading.Thread(target=self._run, name="aipipe-question", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether it has come, or failed."""
        return self._done.is_set()

    def _run(self) -> None:
        try:
            with self._gate:
                self.answer = self._ask()
        except AipipeError as error:
            self.error = error
        except Exception as error:  # told of by who waits for it: a thread has nobody to raise to
            self.error = error
        finally:
            self._done.set()
