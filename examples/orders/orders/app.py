"""The HTTP side: a WSGI application."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orders.basket import Basket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def price(body: dict[str, Any]) -> dict[str, str]:
    """Price the basket that a request describes."""
    basket = Basket()
    for line in body["items"]:
        basket.add(line["sku"], line["price"], line.get("quantity", 1))
    return {"total": str(basket.total())}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """GET /health says ok; POST /price answers a basket's total."""
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    if path == "/health":
        return answer(start_response, "200 OK", {"status": "ok"})
    if path == "/price" and method == "POST":
        size = int(environ.get("CONTENT_LENGTH") or 0)
        return answer(start_response, "200 OK", price(json.loads(environ["wsgi.input"].read(size))))
    return answer(start_response, "404 Not Found", {"error": "no such page"})


def answer(start_response: Callable[..., Any], status: str, body: dict[str, str]) -> list[bytes]:
    """Send ``body`` as JSON."""
    data = json.dumps(body).encode()
    start_response(
        status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
    )
    return [data]
