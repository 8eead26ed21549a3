"""A few questions to a Docker engine over its socket, answered quickly or not at all.

Prediction needs no engine; where one listens it can tell what the base image is now. The
requests are HTTP/1.0 by hand: two short GETs do not deserve an HTTP library, whose import
alone takes longer than the answers.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from aipipe_build.light import light

if TYPE_CHECKING:
    import socket

_TIMEOUT_SECONDS = 2.0
_DEFAULT = "/var/run/docker.sock"
_CHUNK = 1 << 16
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:@._-")


@light()
class EngineClient:
    """Read-only questions. ``host`` is a ``DOCKER_HOST``; "" for no engine."""

    host: str = ""
    _down: bool = False

    @classmethod
    def from_environment(cls) -> EngineClient:
        """Use ``DOCKER_HOST``, else the default socket if it is there."""
        host = os.environ.get("DOCKER_HOST", "")
        if not host and os.path.exists(_DEFAULT):  # noqa: PTH110 - cheapest
            host = f"unix://{_DEFAULT}"
        return cls(host)

    def image(self, reference: str) -> dict[str, Any] | None:
        """Return ``docker image inspect``, None when there is no such image or no engine."""
        if not set(reference) <= _SAFE:
            return None
        return self._get(f"/images/{reference}/json")

    def info(self) -> dict[str, Any] | None:
        """Return ``docker info``, None without an engine."""
        return self._get("/info")

    def _get(self, path: str) -> dict[str, Any] | None:
        if not self.host or self._down:
            return None
        try:
            answer = self._ask(f"GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
        except OSError:
            self._down = True  # one that did not answer is not asked again
            return None
        head, _, body = answer.partition(b"\r\n\r\n")
        if b" 200 " not in head.partition(b"\r\n")[0] + b" ":
            return None
        try:
            document = json.loads(body)
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    def _ask(self, request: bytes) -> bytes:
        with self._connect() as connection:
            connection.sendall(request)
            chunks: list[bytes] = []
            while chunk := connection.recv(_CHUNK):
                chunks.append(chunk)
        return b"".join(chunks)

    def _connect(self) -> socket.socket:
        import socket

        scheme, _, rest = self.host.partition("://")
        if scheme == "unix":
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(_TIMEOUT_SECONDS)
            try:
                connection.connect(rest)
            except OSError:
                connection.close()
                raise
            return connection
        # TLS and ssh endpoints want credentials that only the client has: not asked.
        if scheme == "tcp" and not os.environ.get("DOCKER_TLS_VERIFY"):
            name, _, port = rest.rstrip("/").rpartition(":")
            return socket.create_connection((name, int(port)), timeout=_TIMEOUT_SECONDS)
        raise ConnectionError(self.host)
