"""A real Prometheus that scrapes two versions, asked as the watch asks it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from aipipe_deploy.config import Metrics
from aipipe_deploy.judge import Arm
from aipipe_deploy.sources import PrometheusCounters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed"),
]
SCRAPED = """
requests_total{service="web",release="1"} 120
requests_total{service="web",release="2",code="200"} 9
requests_total{service="web",release="2",code="500"} 3
"""
OF = 'service="$service",release="$release"'


@pytest.fixture
def scraped() -> Iterator[int]:
    """A port on loopback at which both versions' counters stand."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(SCRAPED.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def prometheus(tmp_path: Path, scraped: int) -> Iterator[str]:
    """The address of a Prometheus that scrapes every second."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]}}]\n"
    )
    command = ["prometheus", f"--config.file={config}", f"--web.listen-address={address}",
               f"--storage.tsdb.path={tmp_path / 'data'}", "--log.level=error"]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path)
    yield f"http://{address}"
    process.terminate()
    process.wait(30)


def test_the_counts_of_both_versions_come_from_its_queries(prometheus: str) -> None:
    metrics = Metrics(
        url=prometheus,
        requests=f"sum(requests_total{{{OF}}})",
        bad=f'sum(requests_total{{{OF},code=~"5.."}})',
        every=0.5,
    )
    source = PrometheusCounters(
        metrics,
        old={"service": "web", "release": "1"},
        new={"service": "web", "release": "2"},
        clock=time.monotonic,
    )
    source.start()
    until = time.monotonic() + 60
    while source.totals().new is None and time.monotonic() < until:
        time.sleep(0.2)
    seen = source.totals()
    source.stop()
    assert (seen.old, seen.new) == (Arm(120, 0), Arm(12, 3))
