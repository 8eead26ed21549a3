"""What the build tests stand on: the case runner, a real engine, a project, a registry."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
BASE = "python:3.11-slim"
TWO_STEPS = "FROM scratch\nCOPY a /a\nCOPY b /b\n"


def load_runner() -> Any:
    """Return the module that runs cases; it is a script of ``bench/`` and no package's."""
    name = "build_cases"
    if name not in sys.modules:
        path = ROOT / "bench" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def missing_engine() -> str:
    """Return why the real builder cannot be used, "" when it can."""
    try:
        version = subprocess.run(
            ["docker", "buildx", "version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        ).stdout
        image = subprocess.run(
            ["docker", "image", "inspect", BASE], capture_output=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no Docker client that answers: {error}"
    found = re.search(r"(\d+)\.(\d+)", version)
    if not found or (int(found[1]), int(found[2])) < (0, 13):
        return "the Docker client has no buildx 0.13 or later, which --progress=rawjson needs"
    if image.returncode:
        return f"no Docker engine with the image {BASE}; .ci/provision makes both"
    return ""


@pytest.fixture(scope="session")
def docker() -> None:
    """Need a real engine: skipped by name without one, an error where one is required."""
    reason = missing_engine()
    if not reason:
        return
    if os.environ.get("AIPIPE_REQUIRE_DOCKER") == "1":
        pytest.fail(f"AIPIPE_REQUIRE_DOCKER is set, but: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def runner() -> Any:
    """Return the case runner."""
    return load_runner()


@pytest.fixture(scope="module")
def bench(docker: None, runner: Any) -> Iterator[Any]:
    """Return a place to run cases in."""
    with runner.opened() as opened:
        yield opened


@dataclass
class Done:
    code: int
    document: dict[str, Any]
    out: str
    err: str

    @property
    def image(self) -> dict[str, Any]:
        (image,) = self.document["images"]
        return dict(image)

    def facts(self) -> list[tuple[str, str]]:
        return [(step["verdict"], step["fact"]) for step in self.image["steps"]]


class Contexts:
    """A folder with contexts, whose images have names that no one else has."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tag = f"aipipe-test/{uuid.uuid4().hex[:12]}"
        self.environ = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": f"{root}.state"}

    def write(self, name: str, text: str, *, salted: bool = True) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text} {self.tag}" if salted else text)

    def dockerfile(self, text: str, name: str = "Dockerfile") -> None:
        self.write(name, text, salted=False)
        self.write(".dockerignore", "Dockerfile\n.dockerignore\n.aipipe\n", salted=False)

    def command(self, *words: str, **environ: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "aipipe_build.cli", *words],
            cwd=self.root,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def run(self, *words: str, **environ: str) -> Done:
        code, out, err = self.command("run", *words, "--json", **environ)
        return Done(code, json.loads(out) if out else {}, out, err)

    def recorded(self) -> list[Any]:
        path = self.root / ".aipipe" / "build" / "default.json"
        return list(json.loads(path.read_text())["states"]) if path.exists() else []

    def identity(self, tag: str) -> str:
        command = ["docker", "image", "inspect", "--format", "{{.Id}}", tag]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip()


@pytest.fixture
def contexts(tmp_path: Path, docker: None) -> Iterator[Contexts]:
    root = tmp_path / "project"
    root.mkdir()
    made = Contexts(root)
    yield made
    listing = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", f"{made.tag}*"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    if listing:
        subprocess.run(
            ["docker", "image", "rm", "--force", *listing], check=False, capture_output=True
        )


@pytest.fixture
def containerd_store(docker: None) -> None:
    """Need the image store that can do more than the older one."""
    info = subprocess.run(["docker", "info"], capture_output=True, text=True, check=True).stdout
    if "io.containerd.snapshotter" not in info:
        pytest.skip("the engine does not keep its images in containerd's store")


@pytest.fixture
def two_steps(contexts: Contexts) -> Contexts:
    contexts.write("a", "one")
    contexts.write("b", "two")
    contexts.dockerfile(TWO_STEPS)
    return contexts


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Serve a registry on the loopback address; its name is yielded."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("there is no docker-registry on the PATH")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": name},
    }
    (tmp_path / "registry.yml").write_text(json.dumps(settings))
    command = [program, "serve", str(tmp_path / "registry.yml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as served:
        for _ in range(100):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{name}/v2/"):
                break
            time.sleep(0.1)
        yield name
        served.terminate()
