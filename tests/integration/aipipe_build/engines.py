"""A Docker engine of a test's own: small, alone, and free to be killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE_SECONDS = 60


@dataclass
class OwnEngine:
    """A daemon whose data lie on a file system of a fixed size."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def die(self) -> None:
        """End it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def why_not() -> str:
    """Return why no engine can be started here, "" when one can."""
    if os.geteuid():
        return "only root can start a Docker engine"
    if shutil.which("dockerd") is None:
        return "there is no dockerd on the PATH"
    return ""


@contextmanager
def own_engine(megabytes: int) -> Iterator[OwnEngine]:
    """Start an engine with so much room, and end it, and all it has started, behind the test."""
    if reason := why_not():
        pytest.skip(reason)
    # A socket's path may not be long.
    folder = Path(tempfile.mkdtemp(prefix="aipipe-engine-", dir="/tmp"))
    data = folder / "data"
    data.mkdir()
    bridge = f"ai{os.getpid() % 1_000_000}"
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(data))
        # One without a bridge would take the machine's own away.
        _run("ip", "link", "add", bridge, "type", "bridge")
        _run("ip", "addr", "add", "172.31.249.1/24", "dev", bridge)
        _run("ip", "link", "set", bridge, "up")
        engine = OwnEngine(folder, _start(folder, bridge))
        _wait(engine)
        try:
            yield engine
        finally:
            engine.process.terminate()
            engine.process.wait(_PATIENCE_SECONDS)
    finally:
        _end(folder)
        subprocess.run(["ip", "link", "delete", bridge], check=False, capture_output=True)
        subprocess.run(["umount", "-l", str(data)], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, bridge: str) -> subprocess.Popen[bytes]:
    (folder / "daemon.json").write_text('{"features": {"containerd-snapshotter": true}}')
    command = [
        "dockerd", f"--host=unix://{folder}/docker.sock", f"--pidfile={folder}/docker.pid",
        f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--bridge={bridge}",
        f"--config-file={folder}/daemon.json", "--iptables=false", "--ip-forward=false",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def _wait(engine: OwnEngine) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and engine.process.poll() is None:
        command = ["docker", "--host", engine.host, "version"]
        if not subprocess.run(command, check=False, capture_output=True).returncode:
            return
        time.sleep(0.2)
    engine.process.kill()
    engine.process.wait()
    log = (engine.folder / "log").read_text(errors="replace")
    pytest.skip(f"an engine of the test's own did not start: {log[-300:]}")


def _end(folder: Path) -> None:
    # containerd outlives a daemon that was killed.
    for path in (folder / "docker.pid", folder / "exec" / "containerd" / "containerd.pid"):
        with suppress(OSError, ValueError):
            pid = int(path.read_text())
            if Path(f"/proc/{pid}/comm").read_text().strip() not in ("dockerd", "containerd"):
                continue
            os.kill(pid, signal.SIGTERM)
            for _ in range(100):
                os.kill(pid, 0)
                time.sleep(0.1)
            os.kill(pid, signal.SIGKILL)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no engine can be started here: {done.stderr.strip()}")
