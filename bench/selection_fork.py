"""Runs pytest again and again from one warm process: what is imported once is not imported anew.

Reads requests from standard input, one JSON object a line (`args`, `cwd`, `env`, `path`,
`timeout`), runs each in a forked child, and answers with its exit code, or null where it came
to no end.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import time
from typing import Any

WARM = ("pytest", "_pytest.assertion.rewrite", "_pytest.doctest", "_pytest.unittest", "coverage",
        "unittest.mock", "sqlite3", "pytest_timeout", "sqlalchemy.dialects.sqlite",
        "testmon.pytest_testmon",
        "pytest_aipipe.session.start", "pytest_aipipe.flaky.session",
        "unidiff")  # fmt: skip


def child(request: dict[str, Any]) -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.chdir(request["cwd"])
    os.environ.update(request["env"])
    sys.path[:0] = ["", *request["path"]]
    sys.argv = ["pytest", *request["args"]]
    import pytest

    code = 70
    with contextlib.suppress(BaseException):
        code = int(pytest.main(request["args"]))
    os._exit(code)


def wait(pid: int, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def main() -> None:
    sys.dont_write_bytecode = True
    for name in WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # what is loaded stays: the children need not look through it
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if not pid:
            child(request)
        print(json.dumps(wait(pid, request["timeout"])), flush=True)


if __name__ == "__main__":
    main()
