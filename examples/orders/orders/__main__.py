"""Serve on ORDERS_PORT (8000 unless set)."""

import os
import signal
import sys
from wsgiref.simple_server import make_server

from orders.app import application


def main() -> None:
    port = int(os.environ.get("ORDERS_PORT", "8000"))
    with make_server("", port, application) as server:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        server.serve_forever()


if __name__ == "__main__":
    main()
