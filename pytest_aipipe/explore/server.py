"""The fork server inside the child: runs each request in a fork, with limits on all it does."""

from __future__ import annotations

import gc
import os
import resource
import selectors
import shutil
import signal
import tempfile
import time
import warnings
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_aipipe.explore.trial import Trial, flush
from pytest_aipipe.explore.wire import Closed, Message, Reader, pack, write

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_aipipe.explore.guards import Recorder
    from pytest_aipipe.explore.tracing import Tracer

MEMORY = 4 << 30
FILE_SIZE = 256 << 20


@dataclass(slots=True)
class Running:
    """A fork at work."""

    number: int
    pid: int
    reader: Reader
    deadline: float
    folder: str
    started: float


class Server:
    """Serves requests until the parent closes the channel; ``setup["jobs"]`` at a time."""

    def __init__(
        self,
        session: pytest.Session,
        setup: Message,
        tracer: Tracer,
        recorder: Recorder | None,
        *,
        incoming: Reader,
        outgoing: int,
    ) -> None:
        self.session = session
        self.setup = setup
        self.tracer = tracer
        self.recorder = recorder
        self.incoming = incoming
        self.outgoing = outgoing
        self.waiting: deque[Message] = deque()
        self.running: dict[int, Running] = {}
        self.selector = selectors.DefaultSelector()
        self.scratch = tempfile.mkdtemp(prefix="aipipe-")

    def serve(self) -> None:
        """Work until there is nobody left to answer."""
        self.selector.register(self.incoming.fd, selectors.EVENT_READ)
        gc.collect()
        gc.freeze()  # the forks then share these pages untouched
        try:
            while self._turn():
                pass
        except (Closed, KeyboardInterrupt):
            pass
        finally:
            for one in list(self.running.values()):
                self._kill(one)
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _turn(self) -> bool:
        self._take_requests()
        while self.waiting and len(self.running) < self.setup["jobs"]:
            self._start(self.waiting.popleft())
        for key, _ in self.selector.select(self._patience()):
            if key.fd == self.incoming.fd:
                if not self.incoming.pull():
                    return False
            else:
                self._hear(self.running[key.fd])
        now = time.monotonic()
        for one in [one for one in self.running.values() if one.deadline <= now]:
            self._end(one, {"status": "timeout", "detail": "ran longer than it may"})
        return True

    def _take_requests(self) -> None:
        while (message := self.incoming.pop()) is not None:
            self.waiting.append(message)

    def _patience(self) -> float | None:
        if not self.running:
            return None
        return max(0.0, min(one.deadline for one in self.running.values()) - time.monotonic())

    def _start(self, message: Message) -> None:
        folder = tempfile.mkdtemp(dir=self.scratch)
        reading, writing = os.pipe()
        flush()
        self.tracer.loaded()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 3.12 warns of threads at a fork; see _in_fork
            pid = os.fork()
        if pid == 0:
            os.close(reading)
            _in_fork(writing, lambda: self._work(message, folder))
        os.close(writing)
        now = time.monotonic()
        deadline = now + float(message["timeout"])
        one = Running(message["id"], pid, Reader(reading), deadline, folder, now)
        self.running[reading] = one
        self.selector.register(reading, selectors.EVENT_READ)

    def _work(self, message: Message, folder: str) -> Message:
        os.close(self.incoming.fd)
        os.close(self.outgoing)
        _limit(float(message["timeout"]))
        _own_folder(self.session.config, folder)
        if message.get("kind") == "record":
            from pytest_aipipe.explore.record import record

            return record(self.session, message, self.setup)
        if message.get("kind") == "together":
            from pytest_aipipe.explore.together import run_together

            return run_together(self.session, message)
        if message.get("kind") == "breed":
            from pytest_aipipe.explore.breed import Breed

            bred = Breed(self.session, message, self.setup, self.recorder)
            return bred.run(Path(message["path"]))
        return Trial(self.session, message, tracer=self.tracer, recorder=self.recorder).run()

    def _hear(self, one: Running) -> None:
        open_still = one.reader.pull()
        answer = one.reader.pop()
        if answer is not None:
            self._end(one, answer)
        elif not open_still:
            self._end(one, {"status": "crashed", "detail": "the process ended without a word"})

    def _end(self, one: Running, answer: Message) -> None:
        self._kill(one)
        answer["id"] = one.number
        answer.setdefault("seconds", time.monotonic() - one.started)
        write(self.outgoing, pack(answer))

    def _kill(self, one: Running) -> None:
        self.running.pop(one.reader.fd, None)
        self.selector.unregister(one.reader.fd)
        os.close(one.reader.fd)
        for kill in (os.killpg, os.kill):
            try:
                kill(one.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        os.waitpid(one.pid, 0)
        shutil.rmtree(one.folder, ignore_errors=True)


def _in_fork(writing: int, work: Callable[[], Message]) -> None:
    """Run ``work``, send its answer, and leave without any of the parent's exit handlers."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        frame = pack(work())
    except BaseException as error:
        frame = pack({"status": "crashed", "detail": f"{type(error).__name__}: {error}"[:800]})
    try:
        write(writing, frame)
    finally:
        os._exit(0)


def _limit(seconds: float) -> None:
    for kind, amount in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, int(seconds) + 2),
    ):
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            amount = min(amount, hard)  # noqa: PLW2901 - the lower of the two is meant
        try:
            resource.setrlimit(kind, (amount, hard))
        except (ValueError, OSError):
            continue


def _own_folder(config: pytest.Config, folder: str) -> None:
    """Give this fork its own temporary folder, and its own capture files."""
    os.environ["TMPDIR"] = folder
    tempfile.tempdir = folder
    factory: Any = getattr(config, "_tmp_path_factory", None)
    if factory is not None:
        base = Path(folder, "pytest")
        base.mkdir(mode=0o700)
        factory._basetemp = base  # noqa: SLF001 - pytest has no public way to move it
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    if capture is not None and capture.is_globally_capturing():
        capture.stop_global_capturing()
        capture.start_global_capturing()
