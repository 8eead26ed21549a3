"""What the release tests stand on: a real engine, a real HAProxy, a small service."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCH = Path(__file__).parents[3] / "bench"


def script(name: str) -> Any:
    """Return a module of ``bench/``, which is no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def missing() -> str:
    """Return why nothing can be released here, "" when it can."""
    if not shutil.which("haproxy"):
        return "there is no haproxy; apt-get install haproxy"
    try:
        image = subprocess.run(
            ["docker", "image", "inspect", script("deploy_shop").BASE],
            capture_output=True, check=False, timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no Docker client that answers: {error}"
    return (
        "" if image.returncode == 0 else "no engine with the base image; .ci/provision makes both"
    )


@pytest.fixture(scope="session")
def images() -> None:
    """Need an engine, HAProxy and the service's images: skipped by name without."""
    reason = missing()
    if reason and os.environ.get("AIPIPE_REQUIRE_DOCKER") == "1":
        pytest.fail(f"AIPIPE_REQUIRE_DOCKER is set, but: {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)
    script("deploy_shop").build_images()


@pytest.fixture
def shop(images: None, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a project that nothing was released of."""
    extra = getattr(request, "param", "")
    number = abs(hash(request.node.name)) % 100_000
    replicas = 2 if "rolling" in request.node.name else 1
    with script("deploy_shop").project(f"t{number}", extra=extra, replicas=replicas) as opened:
        yield opened


@pytest.fixture
def serving(shop: Any) -> Any:
    """Return a project whose version 1 serves."""
    done = shop.run("up")
    assert done.returncode == 0, done.stderr
    return shop


@pytest.fixture
def users(serving: Any) -> Iterator[Any]:
    """Users who ask all the time; nobody may be let down by the end of the test."""
    load = script("deploy_load").Load(serving.url, connections=4, rate=100.0, seconds=120)
    load.start()
    # Only what finds a kept connection closed is asked again; on a first one it would be lost.
    end = time.monotonic() + 30
    while not load.is_answered():
        assert time.monotonic() < end, "no answer to a connection's first request"
        time.sleep(0.01)
    yield load
    load.end()
    result = load.result()
    assert result["sent"] > 50
    assert result["lost"] == 0, result


@pytest.fixture
def matrix(serving: Any) -> Any:
    """Return the bench's matrix of killed runners, over a project whose version 1 serves."""
    return script("deploy_kill").Matrix(serving, 100.0, None, 10.0)
