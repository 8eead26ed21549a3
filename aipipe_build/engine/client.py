"""A few questions to a Docker engine over its socket, answered quickly or not at all.

Prediction needs no engine; where one listens it can tell what the base image is now.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

_TIMEOUT_SECONDS = 2.0
_DEFAULT = "unix:///var/run/docker.sock"
_OK = 200


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(slots=True)
class EngineClient:
    """Read-only questions. ``host`` is a ``DOCKER_HOST``; "" for no engine."""

    host: str = ""
    _down: bool = False

    @classmethod
    def from_environment(cls) -> EngineClient:
        """Use ``DOCKER_HOST``, else the default socket if it is there."""
        host = os.environ.get("DOCKER_HOST", "")
        if not host and os.path.exists(urlsplit(_DEFAULT).path):  # noqa: PTH110 - cheapest
            host = _DEFAULT
        return cls(host)

    def image(self, reference: str) -> dict[str, Any] | None:
        """Return ``docker image inspect``, None when there is no such image or no engine."""
        return self._get(f"/images/{quote(reference, safe='/:@')}/json")

    def info(self) -> dict[str, Any] | None:
        """Return ``docker info``, None without an engine."""
        return self._get("/info")

    def _get(self, path: str) -> dict[str, Any] | None:
        connection = self._connection()
        if connection is None:
            return None
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            if response.status != _OK:
                return None
            document = json.loads(body)
        except (OSError, http.client.HTTPException, ValueError):
            self._down = True  # one that did not answer is not asked again
            return None
        finally:
            with contextlib.suppress(OSError):
                connection.close()
        return document if isinstance(document, dict) else None

    def _connection(self) -> http.client.HTTPConnection | None:
        if not self.host or self._down:
            return None
        parts = urlsplit(self.host)
        if parts.scheme == "unix":
            return _UnixConnection(parts.path)
        # TLS and ssh endpoints want credentials that only the client has: not asked.
        if parts.scheme == "tcp" and parts.hostname and not os.environ.get("DOCKER_TLS_VERIFY"):
            return http.client.HTTPConnection(
                parts.hostname, parts.port or 2375, timeout=_TIMEOUT_SECONDS
            )
        return None
