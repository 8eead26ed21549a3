"""What a test touched: only that is worth an experiment, and it is evidence later."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import Any

from pytest_aipipe.flaky.child.wires import is_remote

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1, "shutil.copyfile": 1}
_ASKED = ("os.listdir", "os.scandir", "glob.glob")
_PROCESS = ("subprocess.Popen", "os.fork", "os.posix_spawn")
_SKIPPED = ("/dev/", "/proc/", "/sys/")


class Probe:
    """Watches one process. An audit hook cannot be taken away, so it is switched on and off."""

    def __init__(self, top: str) -> None:
        self.top = top
        self.on = False
        self.private = ""
        self.journal = -1
        self.clear()
        sys.addaudithook(self._hear)
        self._wrap()

    def clear(self) -> None:
        """Forget what was seen: a test begins."""
        self.threads = self.loops = self.processes = self.sleeps = self.timers = 0
        self.listings = 0
        self.hosts: set[str] = set()
        self.local = False
        self.ports: set[int] = set()
        self.written: dict[str, bool] = {}  # path -> whether it was there before

    def seen(self) -> dict[str, Any]:
        """Return what was touched, in JSON's types."""
        counts = {
            name: getattr(self, name)
            for name in ("threads", "loops", "processes", "sleeps", "timers", "listings")
        }
        return {
            **counts,
            "hosts": sorted(self.hosts),
            "local": self.local,
            "ports": sorted(self.ports),
            "written": sorted(self.written),
        }

    def _wrap(self) -> None:
        probe = self
        start = threading.Thread.start
        forever = asyncio.base_events.BaseEventLoop.run_forever
        sleep, perf, monotonic = time.sleep, time.perf_counter, time.monotonic

        def new_start(thread: threading.Thread) -> None:
            probe.threads += 1
            start(thread)

        def new_forever(loop: Any) -> None:
            probe.loops += 1
            forever(loop)

        def new_sleep(seconds: float, /) -> None:
            probe.sleeps += 1
            sleep(seconds)

        def timer(plain: Any) -> Any:
            def read() -> float:
                probe.timers += sys._getframe(1).f_code.co_filename.startswith(probe.top)  # noqa: SLF001
                seconds: float = plain()
                return seconds

            return read

        threading.Thread.start = new_start  # type: ignore[assignment, method-assign, unused-ignore]
        asyncio.base_events.BaseEventLoop.run_forever = new_forever  # type: ignore[assignment, method-assign, unused-ignore]
        time.sleep = new_sleep  # type: ignore[assignment]
        time.perf_counter, time.monotonic = timer(perf), timer(monotonic)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            if isinstance(args[2], int) and args[2] & _WRITING:
                self._write(args[0])
        elif event in _CHANGES:
            self._write(args[_CHANGES[event]])
        elif event == "sqlite3.connect":
            self._write(args[0])
        elif event in _ASKED:
            self.listings += 1
        elif event in _PROCESS:
            self.processes += 1
        elif event.startswith("socket."):
            self._wire(event, args)

    def _wire(self, event: str, args: tuple[Any, ...]) -> None:
        host: Any = None
        if event in ("socket.connect", "socket.sendto", "socket.bind"):
            address = args[1]
            if not isinstance(address, tuple):
                return
            self.local = True
            host = None if event == "socket.bind" else address[0]
            if event == "socket.bind" and address[1]:
                self.ports.add(int(address[1]))
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            host = args[0]
        if host is not None and is_remote(host):
            self.hosts.add(str(host))

    def _write(self, path: Any) -> None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str) or path.startswith((":memory:", "file:")):
            return
        whole = os.path.abspath(path)  # noqa: PTH100 - no link is to be followed here
        if whole.startswith((self.private, *_SKIPPED)) or "__pycache__" in whole:
            return
        if whole not in self.written:
            there = os.path.lexists(whole)
            self.written[whole] = there
            if self.journal >= 0:
                os.write(self.journal, f"{int(there)} {whole}\n".encode("utf-8", "surrogateescape"))
