"""``aipipe-build run`` while the engine or the registry fails: told apart, nothing recorded."""

from __future__ import annotations

import http.server
import importlib.util
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.aipipe_build.conftest import Contexts

_SPEC = importlib.util.spec_from_file_location(
    "build_engines", Path(__file__).with_name("engines.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
ENGINES = importlib.util.module_from_spec(_SPEC)
sys.modules["build_engines"] = ENGINES
_SPEC.loader.exec_module(ENGINES)

# An engine of one's own takes seconds to come up.
pytestmark = [pytest.mark.docker, pytest.mark.slow]


def test_a_registry_that_is_not_there_is_told_apart(two_steps: Contexts) -> None:
    done = two_steps.run("--push", "-t", f"127.0.0.1:9/{two_steps.tag}", ".")
    assert done.code == 3
    assert "build-network" in done.err
    assert two_steps.recorded() == []


FORGETFUL = """\
#!/bin/sh
# The engine's client, which once says what the engine says when it lost a layer.
case "$*" in
*build*rawjson*)
    if [ ! -e "$FORGOT" ]; then
        touch "$FORGOT"
        echo 'ERROR: failed to solve: parent snapshot sha256:e3ad does not exist: not found' >&2
        exit 1
    fi ;;
esac
exec {docker} "$@"
"""


def test_a_layer_that_the_engine_lost_is_asked_for_once_more(
    two_steps: Contexts, tmp_path: Path
) -> None:
    real = shutil.which("docker")
    client = tmp_path / "bin" / "docker"
    client.parent.mkdir()
    client.write_text(FORGETFUL.format(docker=real))
    client.chmod(0o755)
    path = f"{client.parent}{os.pathsep}{os.environ['PATH']}"

    done = two_steps.run("-t", two_steps.tag, ".", PATH=path, FORGOT=str(tmp_path / "forgot"))

    assert done.code == 0, done.err
    assert (tmp_path / "forgot").exists()
    assert any("once more" in text for text in done.image["warnings"])
    assert len(two_steps.recorded()) == 1


def test_an_engine_that_is_down_is_told_apart(two_steps: Contexts) -> None:
    done = two_steps.run("-t", two_steps.tag, ".", DOCKER_HOST=f"unix://{two_steps.root}/no.sock")
    assert done.code == 3
    assert "engine-down" in done.err
    assert two_steps.recorded() == []


def test_an_engine_without_room_is_told_apart_and_nothing_is_recorded(contexts: Contexts) -> None:
    (contexts.root / "big").write_bytes(os.urandom(48 << 20))
    contexts.dockerfile("FROM scratch\nCOPY big /big\n")
    with ENGINES.own_engine(40) as engine:
        done = contexts.run("-t", contexts.tag, ".", DOCKER_HOST=engine.host)
    assert done.code == 3
    assert "engine-disk-full" in done.err
    assert contexts.recorded() == []


class _Slow(http.server.BaseHTTPRequestHandler):
    """Serves the one who predicts, and lets the builder wait."""

    asked = threading.Event()
    go_on = threading.Event()

    def do_GET(self) -> None:
        if "Python" not in self.headers.get("User-Agent", ""):
            self.asked.set()
            self.go_on.wait(60)
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"abc")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_engine_that_dies_in_the_middle_never_leaves_a_record(contexts: Contexts) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    contexts.dockerfile(f"FROM scratch\nADD http://127.0.0.1:{server.server_port}/f /f\n")
    with ENGINES.own_engine(64) as engine:
        killer = threading.Thread(target=lambda: _Slow.asked.wait(60) and engine.die())
        killer.start()
        done = contexts.run("-t", contexts.tag, ".", DOCKER_HOST=engine.host)
        killer.join()
        _Slow.go_on.set()
    server.shutdown()
    server.server_close()
    assert _Slow.asked.is_set()
    assert done.code == 3
    assert "engine-died" in done.err or "engine-down" in done.err
    assert contexts.recorded() == []
    assert done.image["recorded"] is False
