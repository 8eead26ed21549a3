"""A port is taken by another socket, whatever its last connection left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TAKEN = """\
import socket

from pytest_aipipe.flaky.child.wires import Squatter


def listen(port):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen()
    return made


server = listen(0)
port = server.getsockname()[1]
client = socket.create_connection(("127.0.0.1", port))
server.accept()[0].close()
client.close()
server.close()
listen(port).close()
taken = Squatter()
try:
    listen(port)
except OSError as error:
    print(error)
"""


def test_a_port_with_a_lingering_connection_is_taken() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKEN], cwd=Path(__file__).parents[3],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "Address already in use" in done.stdout
