"""Exit 0 when the service answers its own health check."""

import os
import sys
import urllib.request


def main() -> int:
    port = os.environ.get("ORDERS_PORT", "8000")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
        return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
