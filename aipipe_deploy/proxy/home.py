"""Where HAProxy lives: a process of this machine, or a container."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
from typing import TYPE_CHECKING, Protocol

from aipipe_core.errors import SurroundingsError
from aipipe_deploy.proxy import keeper
from aipipe_deploy.proxy.detached import Detached
from aipipe_deploy.targets.command import Command, Shell

if TYPE_CHECKING:
    from pathlib import Path

    from aipipe_deploy.config import Deploy

    Binds = dict[str, list[object]]


class Home(Protocol):
    """Starts HAProxy from the folder's files. Its life is never the runner's."""

    passes_sockets: bool
    """The listening sockets are given to HAProxy, which then binds nothing itself."""

    def shown(self) -> list[str]:
        """The commands that start it."""

    def check(self) -> None:
        """Raise where it could not be started."""

    def has(self, binds: Binds) -> bool:
        """Tell whether it was started with these addresses."""

    def start(self, binds: Binds) -> None:
        """Start it."""

    def reload(self, binds: Binds) -> None:
        """Let it read its files anew, without a gap."""

    def end(self) -> None:
        """Stop it."""

    def last_words(self) -> str:
        """The end of its log."""


class ProcessHome:
    """A process of this machine, under a keeper of ours that starts it again."""

    passes_sockets = True

    def __init__(self, deploy: Deploy, folder: Path) -> None:
        self._deploy = deploy
        self._folder = folder
        self._pid = folder / "keeper.pid"
        self._process = Detached(folder, keeper.__file__, self._pid)
        self._log = folder / "keeper.log"
        self._binds = folder / "binds.json"

    def shown(self) -> list[str]:
        """See :class:`Home`."""
        return [f"{self._deploy.proxy.binary} -db -f {self._folder / 'haproxy.cfg'}  # kept alive"]

    def check(self) -> None:
        """Look for the program, and for whoever else listens at our ports."""
        binary = self._deploy.proxy.binary
        if not shutil.which(binary):
            raise SurroundingsError(
                "proxy-missing",
                f"There is no {binary} on the PATH",
                hint="Install it (apt-get install haproxy), or set deploy.proxy.kind to"
                ' "container".',
            )
        if self._process.pid():
            return  # it holds the ports, and is about to start HAProxy again
        for service in self._deploy.services.values():
            if service.public:
                self._try(service.public)

    def _try(self, port: int) -> None:
        address = self._deploy.proxy.bind
        try:
            keeper.listening(address, port).close()
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            raise SurroundingsError(
                "port-taken" if taken else "port-forbidden",
                f"The proxy cannot listen at port {port}: {error.strerror}",
                where=address,
                hint="Stop what listens there, or set the service's `listen` to another port."
                if taken
                else "Choose a port above 1023, or an address of this machine.",
            ) from error

    def has(self, binds: Binds) -> bool:
        """See :class:`Home`."""
        try:
            return bool(json.loads(self._binds.read_text(encoding="utf-8")) == binds)
        except (OSError, ValueError):
            return False

    def start(self, binds: Binds) -> None:
        """Start the keeper in a session of its own; one that runs starts HAProxy by itself."""
        self.check()
        pid = self._process.pid()
        self._write(binds)
        if pid:
            os.kill(pid, signal.SIGHUP)
            return
        pid = self._process.start(str(shutil.which(self._deploy.proxy.binary)), log=self._log)
        self._pid.write_text(f"{pid}\n", encoding="utf-8")

    def reload(self, binds: Binds) -> None:
        """Tell the keeper; without one there is nobody to hand the sockets on."""
        pid = self._process.pid()
        if not pid:
            raise SurroundingsError(
                "proxy-unkept",
                "The proxy runs without its keeper and cannot take a new configuration",
                where=str(self._pid),
                hint="End that HAProxy in a quiet minute; aipipe-deploy up starts it anew.",
            )
        held = self._held()
        for name, (_, port) in binds.items():
            if name not in held:
                self._try(int(str(port)))
        self._write(binds)
        os.kill(pid, signal.SIGHUP)

    def end(self) -> None:
        """See :class:`Home`."""
        self._process.end()

    def last_words(self) -> str:
        """See :class:`Home`."""
        with contextlib.suppress(OSError):
            lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
            return " ".join(line for line in lines if "ALERT" in line or "Error" in line)[-300:]
        return ""

    def _held(self) -> set[str]:
        try:
            return set(json.loads(self._binds.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return set()

    def _write(self, binds: Binds) -> None:
        from aipipe_deploy.proxy.proxy import write_whole

        write_whole(self._binds, json.dumps(binds))


class ContainerHome:
    """A container with the host's network, started again by the engine."""

    passes_sockets = False

    def __init__(self, deploy: Deploy, folder: Path) -> None:
        self._deploy = deploy
        self._folder = folder
        self._name = f"{deploy.project}-proxy"
        self._shell = Shell(host=deploy.host)

    def _run(self) -> Command:
        folder = str(self._folder)
        return Command((
            "docker", "run", "--detach", "--name", self._name, "--restart", "always",
            "--network", "host", "--user", "0", "--volume", f"{folder}:{folder}",
            "--entrypoint", "haproxy",
            self._deploy.proxy.image, "-W", "-db", "-f", f"{folder}/haproxy.cfg",
        ))  # fmt: skip

    def shown(self) -> list[str]:
        """See :class:`Home`."""
        return [str(self._run())]

    def check(self) -> None:
        """The engine tells when it is started."""

    def has(self, binds: Binds) -> bool:
        """The file has its addresses, so that they are compared with it."""
        del binds
        return True

    def start(self, binds: Binds) -> None:
        """Make the container, or start the one that there is."""
        del binds
        there = self._shell.ask(Command(("docker", "container", "inspect", self._name)))
        if there.code:
            self._shell.run(self._run())
        else:
            self._shell.run(Command(("docker", "restart", "--time", "1", self._name)))

    def reload(self, binds: Binds) -> None:
        """Signal HAProxy's master (management guide, section 4)."""
        del binds
        self._shell.run(Command(("docker", "kill", "--signal", "USR2", self._name)))

    def end(self) -> None:
        """See :class:`Home`."""
        self._shell.ask(Command(("docker", "rm", "--force", self._name)))

    def last_words(self) -> str:
        """See :class:`Home`."""
        answer = self._shell.ask(Command(("docker", "logs", "--tail", "3", self._name)))
        return " ".join((answer.out + answer.err).split())[-300:]
