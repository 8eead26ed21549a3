"""The herald: tells the configured channels how a release goes. It never costs a release.

A channel that hears of everything (``least = "info"``) gets one message that changes with
each step, where it can edit; the others hear of a release that was rolled back, is held or
frozen. A thread of its own talks to the channels: one that hangs delays no move. What could
not be delivered stays in the outbox for the next command.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Self

from aipipe_core.errors import AipipeError
from aipipe_core.notify import Event, Kind, Notifier, Outbox, Severity, Status
from aipipe_core.notify.configure import load_channels
from aipipe_deploy.journal.model import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aipipe_core.notify.configure import Channels
    from aipipe_deploy.release.runner import Ending

PATIENCE = 10.0
"""Seconds that a command waits at its end for channels that are slow or limit us."""
_TICK = 0.2
_SEVERITIES = {State.DONE: Severity.INFO, State.ROLLED_BACK: Severity.ERROR}


class Herald:
    """Use as a context manager; leaving it waits for the channels, up to ``patience`` seconds.

    ``say`` tells a person at the terminal.
    """

    def __init__(
        self,
        channels: Channels,
        folder: Path,
        service: str,
        say: Callable[[str], None],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._channels = channels
        self._folder = folder
        self._service = service
        self._say = say
        self._patience = patience
        self._release = 0
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._until = float("inf")
        self._late = False
        self._thread: threading.Thread | None = None

    @classmethod
    def at(
        cls,
        root: Path,
        folder: Path,
        service: str,
        environ: Mapping[str, str],
        say: Callable[[str], None],
    ) -> Herald:
        """Return the herald of the project at ``root``; raises as ``load_channels`` does."""
        return cls(load_channels(root, environ), folder, service, say)

    def __enter__(self) -> Self:
        if self._channels.channels:
            self._thread = threading.Thread(target=self._work, name="herald", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is None:
            return
        self._until = time.monotonic() + self._patience
        self._events.put(None)
        self._thread.join(self._patience + 2 * _TICK)
        if self._late or self._thread.is_alive():
            self._say("some of this was not delivered yet; the next command tries again")

    def begin(self, release: int, text: str) -> None:
        """Tell that a release begins; later steps belong to it."""
        self._release = release
        self._tell(Severity.INFO, Status.FIRING, text)

    def step(self, text: str) -> None:
        """Say a step, and tell it."""
        self._say(text)
        if self._release:
            self._tell(Severity.INFO, Status.FIRING, text.strip())

    def end(self, ending: Ending) -> None:
        """Tell how it ended; what waits for a person stays open."""
        self._release = ending.release
        severity = _SEVERITIES.get(ending.state, Severity.PAGE)
        if severity > Severity.INFO:
            self._tell(severity, Status.FIRING, ending.text)
        if ending.state in _SEVERITIES:
            self._tell(severity, Status.RESOLVED, ending.text)

    def _tell(self, severity: Severity, status: Status, text: str) -> None:
        if self._thread is None:
            return
        self._events.put(
            Event(
                at=time.time(),
                service=self._service,
                name=f"release-{self._release}",
                severity=severity,
                status=status,
                kind=Kind.DEPLOY,
                title=f"{self._service}: release {self._release}",
                text=text,
            )
        )

    def _work(self) -> None:
        try:
            outbox = Outbox(self._folder / "notify.db")
            notifier = Notifier(
                outbox,
                self._channels.channels,
                now=time.time(),
                fallbacks=self._channels.fallbacks,
            )
            self._deliver(notifier)
            outbox.close()
        except AipipeError as error:
            self._say(f"nobody can be told: {error}")

    def _deliver(self, notifier: Notifier) -> None:
        """Pass the events on until the end is asked for and nothing waits, or time is up."""
        ending = False
        while True:
            try:
                event = self._events.get(timeout=_TICK)
                ending = ending or event is None
                if event is not None:
                    notifier.accept([event])
            except queue.Empty:
                pass
            now = time.time()
            notifier.tick(now)
            if not ending or not self._events.empty():
                continue
            due = notifier.next_due(now)
            if not notifier.waits() and (due is None or due > now + self._patience):
                return
            if time.monotonic() > self._until:
                self._late = True
                return
