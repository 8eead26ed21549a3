"""The fork server: each trial in a fork, the files put back as they were after each."""

from __future__ import annotations

import gc
import os
import random
import select
import shutil
import signal
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_aipipe.flaky.child import delay, heap, limits, listing, wires
from pytest_aipipe.flaky.child.clock import tzset
from pytest_aipipe.flaky.child.trial import Trial, quiet
from pytest_aipipe.flaky.child.wire import Closed, Lines, Message, send

if TYPE_CHECKING:
    import pytest

    from pytest_aipipe.flaky.child.clock import Clock
    from pytest_aipipe.flaky.child.entropy import Entropy
    from pytest_aipipe.flaky.child.probe import Probe

_perf = time.perf_counter
_REMOVED = ("os.remove", "os.rename", "os.rmdir", "shutil.rmtree")


class Server:
    """Serves trials until the other side closes."""

    def __init__(
        self,
        session: pytest.Session,
        incoming: Lines,
        outgoing: int,
        *,
        top: str,
        origin: str,
        scratch: str,
        probe: Probe,
        clock: Clock | None,
        entropy: Entropy | None,
        knobs: dict[str, Any],
    ) -> None:
        self.session, self.incoming, self.outgoing = session, incoming, outgoing
        self.top, self.origin, self.scratch = top, origin, scratch
        self.probe, self.clock, self.entropy, self.knobs = probe, clock, entropy, knobs
        self.random_state = random.getstate()
        self.count = 0
        self._left: dict[str, bool] = {}

    def serve(self) -> None:
        """Answer until the end."""
        gc.collect()
        gc.freeze()  # the forks then share these pages untouched
        try:
            while True:
                message = self.incoming.next()
                send(self.outgoing, self._trial(message))
        except (Closed, KeyboardInterrupt):
            pass
        finally:
            self._put_back()

    def _trial(self, message: Message) -> Message:
        self.count += 1
        folder = tempfile.mkdtemp(dir=self.scratch, prefix=f"{self.count}-")
        journal = os.path.join(folder, "written")  # noqa: PTH118
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._in_fork(message, folder, journal, writing)
        os.close(writing)
        answer = _wait(reading, pid, float(message["timeout"]))
        self._note(journal)
        shutil.rmtree(folder, ignore_errors=True)
        if not message.get("keep"):
            self._put_back()
        answer["id"] = message["id"]
        return answer

    def _in_fork(self, message: Message, folder: str, journal: str, writing: int) -> None:
        try:
            os.setsid()
            os.close(self.incoming.fd)
            os.close(self.outgoing)
            quiet()
            self._own_folder(folder)
            self.probe.private = folder
            self.probe.journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            knobs = {**self.knobs, **message.get("knobs", {})}
            self._apply(knobs)
            answer = Trial(
                self.session,
                message,
                top=self.top,
                probe=self.probe,
                clock=self.clock,
                entropy=self.entropy,
            ).run()
        except BaseException as error:
            answer = {"crashed": f"{type(error).__name__}: {error}"[:400]}
        try:
            send(writing, answer)
        finally:
            os._exit(0)

    def _own_folder(self, folder: str) -> None:
        """Give the trial pytest folders of its own; other temporary files go where all do."""
        factory: Any = getattr(self.session.config, "_tmp_path_factory", None)
        base = Path(folder, "pytest")
        base.mkdir(mode=0o700)
        if factory is not None:
            factory._basetemp = base  # noqa: SLF001 - pytest has no public way to move it
        capture: Any = self.session.config.pluginmanager.getplugin("capturemanager")
        if capture is not None and capture.is_globally_capturing():
            capture.stop_global_capturing()
            capture.start_global_capturing()

    def _apply(self, knobs: dict[str, Any]) -> None:
        """Turn the knobs that may be turned after collection."""
        if self.entropy is not None:
            self.entropy.begin(int(knobs["entropy"]), self.random_state)
        if knobs.get("heap"):
            heap.stir(knobs["heap"])
        if knobs.get("network") == "cut":
            wires.cut()
        elif knobs.get("network") == "join":
            wires.join()
        if knobs.get("ports") == "taken":
            wires.Squatter()
        for kind in filter(None, knobs.get("limit", "").split("+")):
            limits.limit(kind)
        if knobs.get("listing") and not self.knobs.get("listing"):
            listing.reorder(knobs["listing"])
        if knobs.get("zone"):
            os.environ["TZ"] = knobs["zone"]
            tzset()
        if self.clock is not None:
            self.clock.begin(
                knobs["clock"], knobs.get("clock_step", 0.0), knobs.get("clock_coarse", 0.0)
            )
        if knobs.get("delay"):
            delay.Delays(knobs["delay"], int(knobs.get("delay_seed", 1)), self.top)

    def _note(self, journal: str) -> None:
        with suppress(OSError), open(journal, encoding="utf-8", errors="surrogateescape") as lines:  # noqa: PTH123
            for line in lines:
                there, _, path = line.rstrip("\n").partition(" ")
                self._left.setdefault(path, there == "1")

    def _put_back(self) -> None:
        """Remove what the trials made and restore what they changed, as far as it is known."""
        for path, was_there in sorted(self._left.items(), reverse=True):
            inside = path.startswith(self.top)
            source = self.origin + path[len(self.top) :]
            if not was_there:  # the project may have one by now: its own tests ran there
                _remove(path)
            elif inside and os.path.isfile(source):  # noqa: PTH113
                with suppress(OSError):
                    shutil.copy2(source, path)
        self._left.clear()
        with suppress(OSError):
            os.chdir(self.session.config.invocation_params.dir)


def _remove(path: str) -> None:
    with suppress(OSError):
        if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)  # noqa: PTH108


def _wait(reading: int, pid: int, timeout: float) -> Message:
    """Return the fork's answer, and end it and whatever it started."""
    lines, end = Lines(reading), _perf() + timeout
    answer: Message | None = None
    while answer is None:
        left = end - _perf()
        ready = select.select([reading], [], [], max(left, 0.0))[0]
        if not ready:
            answer = {"timeout": timeout}
        elif not lines.pull():
            answer = lines.pop() or {"crashed": "the process ended without a word"}
        else:
            answer = lines.pop()
    os.close(reading)
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return answer
