from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from aipipe_core.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return Path(here).parent if here else None


def _unprivileged(folder: Path) -> list[str]:
    """Return what to put before a command so that root's tests start a server that root may not."""
    if os.geteuid():
        return []
    shutil.chown(folder, 65534, 65534)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A private PostgreSQL on a socket of its own."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    # Not in pytest's own folder: every pytest that starts, and these tests start many, closes
    # that one to other users again, and the server's user is another. A socket's path is short.
    top = Path(tempfile.mkdtemp(prefix="aipipe-pg-"))
    before = _unprivileged(top)
    data = top / "data"
    environ = {"PATH": f"{binaries}:{os.environ['PATH']}", "LC_ALL": "C"}

    def start(*argv: str) -> None:
        subprocess.run(
            [*before, *argv], check=True, env=environ, cwd=top, timeout=120, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    start(
        str(binaries / "initdb"),
        "-D",
        str(data),
        "-U",
        "aipipe",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
    )
    options = f"-c listen_addresses='' -c unix_socket_directories={top} -c fsync=off"
    control = [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(top / "log")]
    start(*control, "-o", options, "start")
    try:
        yield f"postgresql+psycopg://aipipe@/postgres?host={top}"
    finally:
        start(*control, "-m", "immediate", "stop")
        shutil.rmtree(top, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each database that the store is promised to work on, empty."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/.aipipe/store.db"
        return
    found: str = request.getfixturevalue("postgres_url")

    yield found
    with psycopg.connect(found.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened
