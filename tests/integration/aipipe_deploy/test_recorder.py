"""A real HAProxy whose server fails in clumps, and what the recorder knows of it afterwards."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aipipe_deploy.config import parse_deploy
from aipipe_deploy.judge.dispersion import dispersion
from aipipe_deploy.proxy import Proxy, proxy_for
from aipipe_deploy.proxy.recorder import PID, rows_in
from aipipe_deploy.proxy.slots import opening, shifting
from aipipe_deploy.sources import runs_before
from aipipe_deploy.targets import Member, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed"),
]
CLUMP = 6


@pytest.fixture
def server() -> Iterator[int]:
    """A port on loopback that answers 500 to /bad."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(500 if self.path == "/bad" else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.server_port
        listening.shutdown()


@pytest.fixture
def door() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as probe:
        return probe.server_port


@pytest.fixture
def proxy(tmp_path: Path, server: int, door: int) -> Iterator[Proxy]:
    """A proxy in front of that server."""
    table = {
        "proxy": {"bind": "127.0.0.1", "retries": 0, "check": 0.2},
        "services": {"web": {"image": "w", "port": 80, "listen": door}},
    }
    proxy = proxy_for(parse_deploy(table, where="test"), tmp_path)
    proxy.ensure()
    try:
        slot = proxy.slots()["web", "s1"]
        proxy.apply(opening(slot, "127.0.0.1", server))
        proxy.apply(shifting([("web", "s1", 100)], sticky=frozenset()))
        until(lambda: ask(door, "/") == 200)
        yield proxy
    finally:
        proxy.end()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def ask(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def gone(pid: int) -> bool:
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def recorder_of(proxy: Proxy) -> int:
    try:
        return int((proxy.folder / PID).read_text() or 0)
    except FileNotFoundError:
        return 0


def test_clumps_before_a_release_are_known_after_proxy_and_recorder_were_killed(
    proxy: Proxy, server: int, door: int
) -> None:
    member = Member("web-r1-1", "127.0.0.1", server, "s1")
    unit = Unit(
        service="web", release=1, image="w", digest="", replicas=1, port=80, health="/h",
        members=(member,), ready=5, drain=5, sticky=False,
    )  # fmt: skip
    for clump in range(16):
        assert {ask(door, "/bad") for _ in range(CLUMP)} == {500}
        assert ask(door, "/") == 200
        if clump == 5:
            before = proxy.runtime.process()
            os.kill(before, signal.SIGKILL)
            until(lambda: proxy.runtime.answers() and ask(door, "/") == 200)
        if clump == 10:
            old = recorder_of(proxy)
            os.kill(old, signal.SIGTERM)
            until(lambda old=old: gone(old))  # type: ignore[misc]
            assert rows_in(proxy.record) != []
            proxy.ensure()
            until(lambda old=old: recorder_of(proxy) not in (0, old))  # type: ignore[misc]
        time.sleep(1.5)
    recorder = recorder_of(proxy)
    proxy.end()
    until(lambda: gone(recorder))

    runs = runs_before(proxy.record, unit, time.time())
    assert sum(sum(run.bad.values()) for run in runs) >= 10 * CLUMP
    assert dispersion(runs) > CLUMP / 2
