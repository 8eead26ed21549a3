"""The one top-level handler of our command lines.

Expected failures print one line and end in their exit code; anything else is a defect of
ours, and leaves a report that can be pasted into an issue.
"""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DISTRIBUTIONS = (
    "pytest-aipipe",
    "pytest",
    "coverage",
    "GitPython",
    "unidiff",
    "SQLAlchemy",
    "libcst",
    "openai",
)
DEFECTS = Path(".aipipe", "defects")

SHORTEST_SECRET = 6
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|WEBHOOK|_URL$", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"(\w+://)[^/\s@]+@")


def run_command(
    function: Callable[[Sequence[str]], int | None], argv: Sequence[str] | None = None
) -> int:
    """Run ``function(argv)`` and return the process's exit code; it never raises.

    ``argv`` is without the program's name, None is that of the process. ``function`` returns
    an exit code or None for 0, or raises.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = int(function(arguments) or ExitCode.DONE)
        sys.stdout.flush()  # a reader that is gone shows here and not at exit
    except AipipeError as error:
        _say(_one_line(str(error)))
        return int(error.exit_code)
    except KeyboardInterrupt:
        _say("Interrupted.")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        _close_stdout()
        return int(ExitCode.DONE)
    except SystemExit as stop:
        return _exit_code(stop)
    except Exception as error:  # a defect; what can be told goes into the report
        return _defect(error)
    return code


def _say(text: str) -> None:
    with suppress(OSError):  # nobody may listen any more
        print(text, file=sys.stderr)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _exit_code(stop: SystemExit) -> int:
    """Return what argparse and ``sys.exit`` mean: a number, nothing, or a message."""
    if stop.code is None or isinstance(stop.code, int):
        return int(stop.code or 0)
    _say(str(stop.code))
    return int(ExitCode.WRONG_REQUEST)


def _close_stdout() -> None:
    """Let the interpreter's own flush at exit go nowhere (docs: library/signal, SIGPIPE)."""
    with suppress(OSError, ValueError):  # standard output may be no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _defect(error: Exception) -> int:
    report = defect_report(error)
    try:
        DEFECTS.mkdir(parents=True, exist_ok=True)
        ignore = DEFECTS.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        path = DEFECTS / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        path.write_text(report, encoding="utf-8", errors="backslashreplace")
        kept = f"A report to paste is in {path}"
    except OSError:
        _say(report)
        kept = "The report above could not be saved"
    what = _one_line(without_secrets(f"{type(error).__name__}: {error}"))[:300]
    _say(f"This is a defect of aipipe ({what}). {kept}. [defect]")
    return int(ExitCode.DEFECT)


def defect_report(error: BaseException) -> str:
    """Return what a maintainer needs: versions and the traceback.

    No environment values, no arguments, no local variables: they may hold secrets.
    """
    # Loaded by a defect only: a command that starts a thousand times a day should not wait.
    import platform
    import traceback

    versions = [f"{name} {_version(name)}" for name in DISTRIBUTIONS]
    lines = [
        f"command: {Path(sys.argv[0]).name if sys.argv else ''}",
        f"python: {platform.python_implementation()} {platform.python_version()}",
        f"platform: {platform.system()} {platform.release()} {platform.machine()}",
        f"versions: {', '.join(versions)}",
        "",
        "".join(traceback.format_exception(error)).replace(str(Path.home()), "~"),
    ]
    return without_secrets("\n".join(lines))


def without_secrets(text: str) -> str:
    """Return ``text`` with passwords in URLs and the values of secret variables masked."""
    for name, value in os.environ.items():
        secret = value.strip()  # in a message its line break is spelled otherwise
        if len(secret) >= SHORTEST_SECRET and _SECRET_NAME.search(name):
            text = text.replace(secret, "***")
    return _PASSWORD_IN_URL.sub(r"\1***@", text)


def _version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"
