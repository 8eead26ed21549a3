"""One JSON request over the standard library, whose failures are values, not exceptions.

The address may be the secret (a webhook's is), so no message of ours ever holds more of it
than the host.
"""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aipipe_core.errors import RequestError
from aipipe_core.notify.deliver import Retry

_TOO_MANY = 429
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Response:
    """Status, the seconds of ``Retry-After`` where given, and the body.

    ``spent``: the receiver counts requests, and none is left for now. ``cut``: the body was
    longer than is read.
    """

    status: int
    after: float | None
    body: bytes
    spent: bool = False
    cut: bool = False

    def json(self) -> dict[str, Any]:
        """Return the body's JSON object; an empty one for anything else."""
        try:
            record = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return record if isinstance(record, dict) else {}

    def busy(self, host: str) -> Retry | None:
        """Return a retry where the receiver limits or fails."""
        if self.status == _TOO_MANY:
            return Retry(f"{host} limits us", self.after if self.after is not None else 30.0)
        if self.status >= 500 or self.status == 408:  # noqa: PLR2004 - as HTTP has them
            return Retry(f"{host} answered {self.status}", self.after)
        return None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to send. Raises :class:`RequestError` (``notify-url``) for what is no address.

    ``most`` bytes of an answer are read.
    """

    url: str
    timeout: float = 10.0
    most: int = _MOST_BYTES

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise RequestError(
                "notify-url",
                "a notification address is not an http or https URL",
                hint="It is not shown here, because it may be a secret.",
            )

    def __repr__(self) -> str:
        return f"Endpoint({self.host})"

    @property
    def host(self) -> str:
        """The part of the address that may be shown."""
        return urlsplit(self.url).hostname or ""

    def call(
        self,
        payload: dict[str, Any] | None,
        *,
        path: str = "",
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> Response | Retry:
        """Send JSON; no redirect is followed, since it would carry a secret elsewhere."""
        parts = urlsplit(self.url)
        target = (parts.path.rstrip("/") + path or "/") + (f"?{parts.query}" if parts.query else "")
        body = None if payload is None else json.dumps(payload).encode()
        sent = {"Content-Type": "application/json; charset=utf-8"} | (headers or {})
        try:
            connection = self._connect()
        except ValueError:
            return Retry(f"{self.host} cannot be reached: its port is no number")
        try:
            connection.request(method, target, body, sent)
            return self._read(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            return Retry(f"{self.host} cannot be reached: {type(error).__name__}")
        except ValueError:  # its own words would show the header, which may be a token
            return Retry(f"{self.host} cannot be asked: a token or path holds a wrong character")
        finally:
            connection.close()

    def _read(self, answer: http.client.HTTPResponse) -> Response:
        content = answer.read(self.most + 1)
        return Response(
            answer.status,
            _seconds(answer.getheader("Retry-After")),
            content[: self.most],
            spent=answer.getheader("X-RateLimit-Remaining") == "0",
            cut=len(content) > self.most,
        )

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, parts.port, timeout=self.timeout, context=context
            )
        return http.client.HTTPConnection(host, parts.port, timeout=self.timeout)


def _seconds(header: str | None) -> float | None:
    try:
        return min(max(float(header), 0.0), 3600.0) if header else None
    except ValueError:
        return None  # a date: the pause of our own choice will do
