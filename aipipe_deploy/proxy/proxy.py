"""The proxy of a project: started once, then only ever spoken to."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from aipipe_core.errors import SurroundingsError
from aipipe_deploy.proxy import recorder
from aipipe_deploy.proxy.detached import Detached
from aipipe_deploy.proxy.render import answers_of, public_services, render, slot_names, variable
from aipipe_deploy.proxy.runtime import Runtime
from aipipe_deploy.proxy.slots import Slot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aipipe_deploy.config import Deploy
    from aipipe_deploy.proxy.home import Home

_LONGEST_SOCKET = 90
_START_SECONDS = 30.0


class Proxy:
    """Moves traffic, and keeps on disk what HAProxy would start from."""

    def __init__(self, deploy: Deploy, folder: Path, home: Home) -> None:
        self.deploy = deploy
        self.folder = folder
        self.file = folder / "haproxy.cfg"
        self._home = home
        socket = folder / "haproxy.sock"
        if len(os.fsencode(socket)) > _LONGEST_SOCKET:
            raise SurroundingsError(
                "deploy-state-path",
                "The state folder's path is too long for a socket in it",
                where=str(folder),
                hint="Set deploy.state to a shorter one.",
            )
        self.runtime = Runtime(socket)
        self.answers = answers_of(socket)
        self.record = folder / recorder.RECORD
        self._recorder = Detached(folder, recorder.__file__, folder / recorder.PID)

    @property
    def sticky(self) -> frozenset[str]:
        """Backends whose users are kept at a server by a cookie."""
        return frozenset(s.name for s in public_services(self.deploy) if s.sticky)

    def shown(self) -> list[str]:
        """The commands that start it, for a plan."""
        return self._home.shown()

    def check(self) -> None:
        """Raise where it could not be started: no program, a port that is taken."""
        if not self.runtime.answers():
            self._home.check()

    def ensure(self) -> None:
        """Start it unless it runs; bring its configuration up to date without a gap."""
        if not public_services(self.deploy):
            return
        self._bring_up()
        if not self._recorder.pid():
            with contextlib.suppress(OSError):  # a release goes on without a record
                self._recorder.start()

    def _bring_up(self) -> None:
        running = self.runtime.answers()
        binds = {
            variable(s): [self.deploy.proxy.bind, s.public] for s in public_services(self.deploy)
        }
        if running and self._up_to_date() and self._home.has(binds):
            self.save()
            return
        # What was saved outlives a proxy that died; what runs is truer than what was saved.
        slots = self.runtime.slots() if running else self._saved()
        before = self.runtime.process() if running else 0
        write_whole(self.file, self._render(slots))
        if running:
            self._home.reload(binds)
        else:
            self._home.start(binds)
        self._wait(before)

    def apply(self, lines: Sequence[str]) -> None:
        """Carry out ``lines``, then save what HAProxy shows."""
        self.runtime.apply(lines)
        self.save()

    def save(self) -> None:
        """Write down what HAProxy shows, so that it starts from that."""
        write_whole(self.file, self._render(self.runtime.slots()))

    def slots(self) -> dict[tuple[str, str], Slot]:
        """Every slot as HAProxy shows it; as it was saved where there is none yet."""
        found = self.runtime.slots() if self.runtime.answers() else self._saved()
        shown = {(slot.backend, slot.name): slot for slot in found}
        for service in public_services(self.deploy):
            for name in slot_names(self.deploy):
                shown.setdefault((service.name, name), Slot(service.name, name))
        return shown

    def end(self) -> None:
        """Stop it; for a project that is taken away."""
        self._recorder.end()
        self._home.end()

    def _render(self, slots: Sequence[Slot]) -> str:
        return render(
            self.deploy, slots, socket=self.runtime.path, passed=self._home.passes_sockets
        )

    def _up_to_date(self) -> bool:
        """Tell whether the file that HAProxy runs from differs in no more than its slots."""
        try:
            text = self.file.read_text(encoding="utf-8")
        except OSError:
            return False
        return text == self._render(parse_file(text))

    def _saved(self) -> list[Slot]:
        try:
            return parse_file(self.file.read_text(encoding="utf-8"))
        except OSError:
            return []

    def _wait(self, before: int) -> None:
        """Wait for a process other than ``before`` that answers with this configuration."""
        wanted = {s.name for s in public_services(self.deploy)}
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            try:
                shown = {s.backend for s in self.runtime.slots()}
                if self.runtime.process() != before and wanted <= shown:
                    return
            except SurroundingsError as error:
                if error.slug != "proxy-down":
                    raise
            time.sleep(0.02)
        raise SurroundingsError(
            "proxy-down",
            f"The proxy did not start within {_START_SECONDS:g} s: {self._home.last_words()}",
            where=str(self.file),
            hint="The line holds its own words.",
        )


def parse_file(text: str) -> list[Slot]:
    """Read the slots back from what :func:`render` wrote."""
    slots = []
    backend = ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["backend"]:
            backend = words[1]
        if words[:1] == ["server"] and backend:
            address, _, port = words[2].rpartition(":")
            weight = int(words[words.index("weight") + 1])
            slots.append(
                Slot(backend, words[1], address, int(port), weight, "disabled" not in words)
            )
    return slots


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader, or a crash, finds the old text or the new one."""
    new = path.with_name(path.name + ".new")
    try:
        with new.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
    except OSError as error:
        raise SurroundingsError(
            "disk-full" if error.errno in _FULL else "deploy-state",
            f"The proxy's file cannot be written: {error.strerror}",
            where=str(path),
            hint="Free room or give leave; then aipipe-deploy resume.",
        ) from error


def proxy_for(deploy: Deploy, folder: Path) -> Proxy:
    """Return the proxy that the configuration describes, with its files in ``folder``."""
    from aipipe_deploy.proxy.home import ContainerHome, ProcessHome

    home: Home
    if deploy.proxy.kind == "container":
        home = ContainerHome(deploy, folder)
    else:
        home = ProcessHome(deploy, folder)
    return Proxy(deploy, folder, home)


_FULL = (28, 122)  # ENOSPC, EDQUOT
