"""The ``aipipe-deploy`` command: one module for each subcommand.

A command module offers ``add_parser(subparsers)``, which sets ``run`` to a function that
takes the parsed options and returns an exit code. To add a command, write its module and
name it in ``_COMMANDS``.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = tuple(
    f"aipipe_deploy.commands.{name}"
    for name in ("plan", "up", "status", "watch", "rollback", "resume", "history", "replay")
)


def build_parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    parser = argparse.ArgumentParser(
        prog="aipipe-deploy", description="Roll out, watch, judge, and undo a release."
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in _COMMANDS:
        importlib.import_module(name).add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code. Expected failures print one message."""
    words = sys.argv[1:] if argv is None else argv
    if not words:
        build_parser().print_help()
        print("\naipipe-deploy: a command is required", file=sys.stderr)
        return int(ExitCode.WRONG_REQUEST)
    options = build_parser().parse_args(words)
    try:
        return int(options.run(options))
    except AipipeError as error:
        print(f"aipipe-deploy: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
