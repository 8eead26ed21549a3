"""What the build tests stand on: the case runner, and a real engine where there is one."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
BASE = "python:3.11-slim"


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
