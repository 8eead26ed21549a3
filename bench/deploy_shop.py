"""A small service in several versions, and a project that releases it: what the benches share."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
BASE = "python:3.11-slim"
IMAGE = "aipipe-bench-shop"

_APP = """
import http.server, os, random, signal, socketserver, sys, time

VERSION, BAD, SLOW = (os.environ[name] for name in ("VERSION", "BAD", "SLOW"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(6, 1, 1)

    def do_GET(self):
        health = self.path == "/health"
        if not health and float(SLOW):
            time.sleep(float(SLOW))
        bad = not health and random.random() < float(BAD)
        if bad:
            print(f"bad {time.time():.3f}", flush=True)
        body = VERSION.encode()
        self.send_response(500 if bad else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 512


if VERSION == "sick":
    sys.exit("cannot open the database")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
Server(("", 8000), Handler).serve_forever()
"""

_DOCKERFILE = f"""
FROM {BASE}
ARG VERSION
ARG BAD=0
ARG SLOW=0
ENV VERSION=$VERSION BAD=$BAD SLOW=$SLOW
COPY app.py /app.py
CMD ["python3", "-u", "/app.py"]
"""

VERSIONS = {
    "1": (), "2": (), "sick": (),
    "bad": ("--build-arg", "BAD=0.2"),
    "worse": ("--build-arg", "BAD=0.5"),
    "calm": ("--build-arg", "SLOW=0.02"), "same": ("--build-arg", "SLOW=0.02"),
    "five": ("--build-arg", "BAD=0.05", "--build-arg", "SLOW=0.02"),
    "twenty": ("--build-arg", "BAD=0.2", "--build-arg", "SLOW=0.02"),
    "slow": ("--build-arg", "SLOW=0.04"),
}  # fmt: skip


def build_images() -> None:
    """Build every version; the engine's cache makes the second time quick."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "app.py").write_text(_APP, encoding="utf-8")
        Path(folder, "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")
        for version, arguments in VERSIONS.items():
            docker("build", "--quiet", "--build-arg", f"VERSION={version}", *arguments,
                   "--tag", f"{IMAGE}:{version}", folder)  # fmt: skip


def docker(*words: str, check: bool = True) -> str:
    """Run the Docker client; return what it printed."""
    done = subprocess.run(
        ["docker", *words], capture_output=True, text=True, check=False, timeout=300
    )
    if check and done.returncode:
        sys.exit(f"docker {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def project(name: str, *, replicas: int = 1, extra: str = "", head: str = "") -> Iterator[Shop]:
    """Yield a project with nothing released yet; take everything away at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    shop = Shop(name, folder, free_port(), replicas, extra, head)
    try:
        shop.configure()
        yield shop
    finally:
        shop.end()
        shutil.rmtree(folder, ignore_errors=True)


class Shop:
    """One project of the benches."""

    def __init__(
        self, name: str, folder: Path, port: int, replicas: int, extra: str, head: str
    ) -> None:
        self.name, self.folder, self.port = name, folder, port
        self.replicas, self.extra, self.head = replicas, extra, head
        self.url = f"http://127.0.0.1:{port}/"
        self.state = folder / "state"

    def configure(self, image: str = f"{IMAGE}:1") -> None:
        """Write the configuration."""
        (self.folder / "aipipe.toml").write_text(
            f"""
[deploy]
project = "{self.name}"
state = "state"
{self.head}
[deploy.proxy]
bind = "127.0.0.1"
check = 0.25
[deploy.watch]
seconds = 1.5
step_seconds = 1
tick = 0.1
[deploy.canary]
steps = [10, 50]
[deploy.calendar]
quiet = []
[deploy.services.web]
image = "{image}"
port = 8000
listen = {self.port}
ready = 30
drain = 3
replicas = {self.replicas}
{self.extra.replace("{name}", self.name)}
""",
            encoding="utf-8",
        )

    def argv(self, *words: str) -> list[str]:
        """Return the argv of a release command."""
        command, *rest = words
        return [
            sys.executable,
            "-m",
            "aipipe_deploy.cli",
            command,
            "--root",
            str(self.folder),
            *rest,
        ]

    def run(self, *words: str, argv: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a release command to its end."""
        return subprocess.run(
            argv or self.argv(*words), capture_output=True, text=True, check=False, timeout=240,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=self.folder,
        )  # fmt: skip

    def inside(self, container: str, *words: str) -> str:
        """Run a command in a container; return what it printed."""
        return docker("exec", container, *words)

    def units(self) -> list[str]:
        """Names of the project's units that the engine has."""
        listed = docker("ps", "--all", "--format", '{{.Label "dev.aipipe.unit"}}', "--filter",
                        f"label=dev.aipipe.project={self.name}")  # fmt: skip
        return sorted(set(listed.split()))

    def end(self) -> None:
        """Stop the proxy, remove containers and network."""
        from aipipe_deploy.config import load_deploy
        from aipipe_deploy.proxy import proxy_for

        proxy_for(load_deploy(self.folder), self.state).end()
        names = docker("ps", "-aq", "--filter", f"label=dev.aipipe.project={self.name}").split()
        if names:
            docker("rm", "--force", *names)
        docker("network", "rm", self.name, check=False)
        docker("volume", "rm", "--force", f"{self.name}-data", check=False)
