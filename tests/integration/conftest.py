"""Real repositories to read changes of, and a model's server to ask."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .model_server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgSign=false")


class Project:
    """A git repository in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *WHO, "-c", "protocol.file.allow=always", *arguments],
            cwd=cwd or self.root,
            check=True,
            capture_output=True,
            env={name: value for name, value in os.environ.items() if name != "GIT_DIR"},
        )
        return os.fsdecode(done.stdout).strip()

    def write(self, path: str | bytes, content: str | bytes) -> None:
        target = Path(self.root, os.fsdecode(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str = "work", **files: str | bytes) -> str:
        for name, content in files.items():
            self.write(name.replace("__", "/") + ".py", content)
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let one test at a time use the engine, whatever the number of workers.

    A lock and no group of xdist's: its groups stand in an attribute that pytest 9.2 has no more.
    Outermost, so that no time limit runs while a test waits for its turn.
    """
    if item.get_closest_marker("docker") is None:
        return (yield)
    with (Path(tempfile.gettempdir()) / "aipipe-tests-engine.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        return (yield)


@pytest.fixture
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "gitconfig"
    empty.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(empty))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def project(tmp_path: Path, _no_settings_of_the_machine: None) -> Project:
    return Project(tmp_path / "project")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model's server on loopback that does what it is told to, good or bad."""
    made = ModelServer()
    yield made
    made.close()
