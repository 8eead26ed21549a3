"""The keeper: holds the listening sockets and starts HAProxy again when it dies.

    python keeper.py FOLDER BINARY

It is a process of its own, started once and independent of any release, and imports nothing
but the standard library, so that it can run from its path alone. FOLDER holds ``binds.json``
({variable: [address, port]}) and ``haproxy.cfg``. Because the sockets are the keeper's, users
who connect while HAProxy is being started again wait in the kernel's queue instead of being
refused. SIGHUP: read both files anew, without a gap. SIGTERM: end both.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_BACKLOG = 4096
_LONGEST_PAUSE = 2.0
_HEALTHY_SECONDS = 10.0


_SIGNALS = {signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM}


class Keeper:
    """One HAProxy and the sockets that it listens at."""

    def __init__(self, folder: Path, binary: str) -> None:
        self._folder = folder
        self._binary = binary
        self._sockets: dict[str, socket.socket] = {}
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Keep it running until SIGTERM."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pause = 0.0
        began = self._start()
        while True:
            came = signal.sigwait(_SIGNALS)
            if came == signal.SIGTERM:
                break
            if came == signal.SIGHUP:
                began = self._start()  # the old process ends by itself
                continue
            child = self._child
            if child is None or child.poll() is None:
                continue  # an older one ended, as it was told to
            lived = time.monotonic() - began
            pause = 0.0 if lived > _HEALTHY_SECONDS else min(_LONGEST_PAUSE, pause * 2 + 0.02)
            print(f"HAProxy ended with {child.returncode}; starting it again", flush=True)
            time.sleep(pause)
            began = self._start()
        if self._child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child.pid, signal.SIGUSR1)
        return 0

    def _start(self) -> float:
        self._listen()
        argv = [self._binary, "-db", "-f", str(self._folder / "haproxy.cfg")]
        if self._child and self._child.poll() is None:
            argv += ["-sf", str(self._child.pid)]
        numbers = {name: str(opened.fileno()) for name, opened in self._sockets.items()}
        self._child = subprocess.Popen(
            argv,
            env={**os.environ, **numbers},
            pass_fds=[opened.fileno() for opened in self._sockets.values()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_unblock,  # noqa: PLW1509 - there is one thread
        )
        return time.monotonic()

    def _listen(self) -> None:
        wanted = json.loads((self._folder / "binds.json").read_text(encoding="utf-8"))
        for name in set(self._sockets) - set(wanted):
            self._sockets.pop(name).close()
        for name, (address, port) in wanted.items():
            if name not in self._sockets:
                self._sockets[name] = listening(address, port)


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def listening(address: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises ``OSError`` where the port is taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address.strip("[]"), port))
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


if __name__ == "__main__":
    sys.exit(Keeper(Path(sys.argv[1]), sys.argv[2]).run())
