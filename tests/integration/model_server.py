"""A model's server on loopback that does what it is told to, good or bad."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 40},
}


def put(handler: Any, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    kind = "text/event-stream" if isinstance(body, bytes) else "application/json"
    for name, value in {
        "content-type": kind,
        "content-length": str(len(data)),
        **(headers or {}),
    }.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def completion(text: str, finish: str = "stop", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": text, **message}
    return {
        "id": "c1", "object": "chat.completion", "created": 1, "model": "served", "usage": USAGE,
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
    }  # fmt: skip


def chunks(text: str, finish: str | None = "stop", **delta: Any) -> bytes:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "served"}
    pieces = [text[i : i + 10] for i in range(0, len(text), 10)] or [""]
    made = [
        {**head, "choices": [{"index": 0, "delta": {"content": p, **delta}, "finish_reason": None}]}
        for p in pieces
    ]
    if finish is not None:
        made.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        made.append({**head, "choices": [], "usage": USAGE})
    text = "".join(f"data: {json.dumps(one)}\n\n" for one in made)
    return (text + ("data: [DONE]\n\n" if finish is not None else "")).encode()


def response(text: str, status: str = "completed", why: str | None = None, **part: Any) -> Any:
    content = part or {"type": "output_text", "text": text, "annotations": []}
    return {
        "id": "r1", "object": "response", "created_at": 1, "status": status, "model": "served",
        "output": [{"type": "message", "id": "m1", "role": "assistant", "status": "completed", "content": [content]}],
        "usage": {
            "input_tokens": 100, "output_tokens": 20, "total_tokens": 120,
            "input_tokens_details": {"cached_tokens": 40}, "output_tokens_details": {"reasoning_tokens": 0},
        },
        "incomplete_details": {"reason": why} if why else None,
        "parallel_tool_calls": False, "tool_choice": "auto", "tools": [], "error": None,
        "instructions": None, "metadata": {}, "temperature": 1, "top_p": 1,
    }  # fmt: skip


def says(text: str, **more: Any) -> Any:
    """Answer in whatever form is asked for."""

    def act(handler: Any, body: dict[str, Any]) -> None:
        if "responses" in handler.path:
            put(handler, 200, response(text))
        elif body.get("stream"):
            put(handler, 200, chunks(text, **more))
        else:
            put(handler, 200, completion(text, **more))

    return act


def fails(status: int, message: str = "no", code: str | None = None) -> Any:
    def act(handler: Any, body: dict[str, Any]) -> None:
        error = {"message": message, "type": "t", "code": code, "param": None}
        put(handler, status, {"error": error}, {"retry-after-ms": "1"})

    return act


def hangs(handler: Any, body: dict[str, Any]) -> None:
    handler.server.released.wait(20)


def dribbles(handler: Any, body: dict[str, Any]) -> None:
    """One byte now and then: no timeout between two bytes ever ends this."""
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.send_header("content-length", "100000")
    handler.end_headers()
    try:
        while not handler.server.released.is_set():
            handler.wfile.write(b":\n")
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        return


def breaks_off(handler: Any, body: dict[str, Any]) -> None:
    """Promise more than is sent, and hang up."""
    whole = (
        chunks("half of an answer")
        if body.get("stream")
        else json.dumps(completion("half")).encode()
    )
    handler.send_response(200)
    handler.send_header(
        "content-type", "text/event-stream" if body.get("stream") else "application/json"
    )
    handler.send_header("content-length", str(len(whole) + 500))
    handler.end_headers()
    handler.wfile.write(whole[: len(whole) // 2])
    handler.close_connection = True


class ModelServer:
    """``script`` is what to do, request by request; the last one is repeated."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.script: deque[Any] = deque([says("fine")])
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: Any) -> None: ...

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.requests.append(body)
                outer.paths.append(self.path)
                outer.headers.append({k.lower(): v for k, v in self.headers.items()})
                act = outer.script.popleft() if len(outer.script) > 1 else outer.script[0]
                act(self, body)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.released = threading.Event()  # type: ignore[attr-defined]
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    says = staticmethod(says)
    fails = staticmethod(fails)
    hangs = staticmethod(hangs)
    dribbles = staticmethod(dribbles)
    breaks_off = staticmethod(breaks_off)
    put = staticmethod(put)
    completion = staticmethod(completion)
    chunks = staticmethod(chunks)
    response = staticmethod(response)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def does(self, *acts: Any) -> None:
        self.script = deque(acts)

    def close(self) -> None:
        self._http.released.set()  # type: ignore[attr-defined]
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
