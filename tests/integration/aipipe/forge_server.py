"""A real HTTP server on loopback that speaks a forge's interface from recorded shapes."""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class Reply:
    """What to answer; ``times`` how often before the next reply of the same route."""

    status: int = 200
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    times: int = 1_000


@dataclass
class Seen:
    method: str
    path: str
    body: Any
    headers: dict[str, str]


class ForgeServer:
    """Routes are ``METHOD path`` (without the query) to replies; all calls are kept."""

    def __init__(self) -> None:
        self.routes: dict[str, list[Reply]] = {}
        self.seen: list[Seen] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                seen = Seen(self.command, self.path, body, dict(self.headers))
                owner.seen.append(seen)
                reply = owner.reply(f"{self.command} {self.path.split('?')[0]}", self.path)
                content = reply.raw if reply.raw is not None else json.dumps(reply.value).encode()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with suppress(BrokenPipeError, ConnectionResetError):  # it read enough
                    self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815 - names of the library

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def reply(self, route: str, path: str) -> Reply:
        replies = self.routes.get(route, [])
        if not replies:
            return Reply(404, {"message": "Not Found"})
        page = re.search(r"[?&]page=(\d+)", path)
        if page and isinstance(replies[0].value, list):
            number = int(page[1])
            return replies[number - 1] if number <= len(replies) else Reply(value=[])
        first = replies[0]
        first.times -= 1
        if first.times <= 0 and len(replies) > 1:
            replies.pop(0)
        return first

    def on(self, route: str, *replies: Reply) -> None:
        self.routes[route] = list(replies)

    def calls(self, method: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == method]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
