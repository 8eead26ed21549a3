"""``aipipe-deploy replay FILE``: what the judge would have done with recorded traffic."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from aipipe_core.errors import ExitCode, RequestError, SurroundingsError
from aipipe_deploy.judge import JudgeSettings
from aipipe_deploy.replay import WindowVerdict, replay_in_parallel

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name

_SETTINGS = {
    "seconds": "length of a window",
    "alpha": "chance of a false rollback in a whole window",
    "beta": "chance of passing a version that is worse by the margin",
    "tolerance": "an error rate up to this many times the old one's is as good",
    "warmup": "seconds in which a slow new version is excused",
    "margin": "part of the requests by which a version that passes may be worse",
}


def add_parser(subparsers: Subparsers) -> None:
    """Add the command to ``subparsers``."""
    parser = subparsers.add_parser(
        "replay", help="judge recorded traffic", description=(__doc__ or "").split(": ", 1)[1]
    )
    parser.add_argument("file", help="a JSON object a line; - for standard input")
    parser.add_argument("--json", action="store_true", help="a JSON object for each window")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    defaults = JudgeSettings()
    for name, text in _SETTINGS.items():
        default = getattr(defaults, name)
        parser.add_argument(
            f"--{name}", type=float, default=default, help=f"{text} (default: {default:g})"
        )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge the file's windows and print each verdict as it falls."""
    settings = JudgeSettings(**{name: getattr(options, name) for name in _SETTINGS})
    where = "standard input" if options.file == "-" else options.file
    try:
        with _opened(options.file) as lines:
            for verdict in replay_in_parallel(
                lines, settings=settings, where=where, jobs=options.jobs
            ):
                print(_line(verdict, as_json=options.json))
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output has seen enough; keep the interpreter from saying so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except UnicodeDecodeError as error:
        raise RequestError(
            "replay-encoding", "the recording is not UTF-8 text", where=where
        ) from error
    return int(ExitCode.DONE)


@contextlib.contextmanager
def _opened(file: str) -> Iterator[TextIO]:
    if file == "-":
        yield sys.stdin
        return
    try:
        lines = Path(file).open(encoding="utf-8-sig")  # noqa: SIM115 - closed below, and by its caller's with
    except (FileNotFoundError, IsADirectoryError) as error:
        raise RequestError("replay-file", "there is no such recording", where=file) from error
    except OSError as error:
        raise SurroundingsError(
            "replay-unreadable", f"the recording cannot be read: {error.strerror}", where=file
        ) from error
    with lines:
        yield lines


def _line(verdict: WindowVerdict, *, as_json: bool) -> str:
    record = verdict.as_json()
    if as_json:
        return json.dumps(record)
    return "{window}: {verdict} at {t:g} s, {reason}".format(**record)
