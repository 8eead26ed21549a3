"""A Prometheus as the source of counts: what it says, and what it does not."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from aipipe_deploy.config import Metrics
from aipipe_deploy.judge import Arm
from aipipe_deploy.sources import PrometheusCounters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REQUESTS = 'sum(requests_total{service="$service",release="$release"})'
BAD = 'sum(bad_total{service="$service",release="$release"})'


def vector(*values: str) -> dict[str, Any]:
    result = [{"metric": {}, "value": [1.5, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str], Any]], str]]:
    """Serve Prometheus' instant queries on loopback by a function of the query."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[str], Any]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                assert parts.path == "/api/v1/query"
                found = answer(parse_qs(parts.query)["query"][0])
                body = found if isinstance(found, bytes) else json.dumps(found).encode()
                self.send_response(503 if found is None else 200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def counters(url: str, **more: Any) -> PrometheusCounters:
    return PrometheusCounters(
        Metrics(url=url, requests=REQUESTS, bad=BAD, **more),
        old={"service": "web", "release": "1"},
        new={"service": "web", "release": "2"},
        clock=lambda: 3.0,
    )


def test_each_version_is_asked_about_by_its_release(
    serve: Callable[[Callable[[str], Any]], str],
) -> None:
    told = {
        'sum(requests_total{service="web",release="1"})': vector("120"),
        'sum(bad_total{service="web",release="1"})': vector("1"),
        'sum(requests_total{service="web",release="2"})': vector("12"),
        'sum(bad_total{service="web",release="2"})': vector(),
    }
    seen = counters(serve(told.__getitem__)).ask()
    assert (seen.old, seen.new) == (Arm(120, 1), Arm(12, 0))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"<html>not here</html>",
        b"",
        [],
        {"status": "error", "error": "parse error"},
        {"status": "success", "data": {"resultType": "matrix", "result": []}},
        vector("1", "2"),
        vector("many"),
        vector(),
    ],
)
def test_what_is_no_answer_of_one_number_is_no_reading(
    serve: Callable[[Callable[[str], Any]], str], answer: object
) -> None:
    seen = counters(serve(lambda _: answer)).ask()
    assert (seen.old, seen.new) == (None, None)


def test_one_that_is_down_is_no_reading() -> None:
    seen = counters("http://127.0.0.1:9/").ask()
    assert (seen.old, seen.new) == (None, None)


def test_what_was_said_last_counts_until_it_is_too_old(
    serve: Callable[[Callable[[str], Any]], str],
) -> None:
    now = [0.0]
    source = PrometheusCounters(
        Metrics(url=serve(lambda _: vector("7")), requests=REQUESTS, bad=BAD, every=0.2),
        old={"service": "web", "release": "1"},
        new={"service": "web", "release": "2"},
        clock=lambda: now[0],
    )
    source.start()
    for _ in range(200):
        if source.totals().old is not None:
            break
        threading.Event().wait(0.05)
    source.stop()
    assert source.totals().new == Arm(7, 7)
    now[0] = 60.0
    assert source.totals().new is None


def test_a_table_of_metrics_is_read_with_its_defaults() -> None:
    from aipipe_deploy.config import parse_deploy

    table = {
        "services": {"web": {"image": "w", "port": 80}},
        "metrics": {"url": "http://127.0.0.1:9090", "requests": REQUESTS, "bad": BAD},
    }
    assert parse_deploy(table, where="aipipe.toml").metrics.every == 1.0


@pytest.mark.parametrize(
    "metrics", [{"url": "prometheus:9090"}, {"url": "http://127.0.0.1:9090"}, {"urls": "x"}]
)
def test_a_table_that_cannot_work_is_refused(metrics: dict[str, Any]) -> None:
    from aipipe_core.errors import RequestError
    from aipipe_deploy.config import parse_deploy

    table = {"services": {"web": {"image": "w", "port": 80}}, "metrics": metrics}
    with pytest.raises(RequestError, match=r"deploy\.metrics"):
        parse_deploy(table, where="aipipe.toml")
