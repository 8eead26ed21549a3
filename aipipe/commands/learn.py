"""The command that learns: ``aipipe calibrate``."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from aipipe.commands.tell import tell, write_file
from aipipe_core.errors import ExitCode


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command's parser."""
    learn = commands.add_parser("calibrate", help="learn risk from the history")
    learn.add_argument("--since", metavar="DATE", type=_day, help="leave older commits out")
    learn.add_argument("--json", metavar="FILE", help="write the answer there; - prints it")
    learn.add_argument("--svg", metavar="FILE", help="draw there how its probabilities came true")
    learn.set_defaults(answer=_calibrate)


def _day(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2024-01-31") from None
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp()


def _calibrate(arguments: argparse.Namespace) -> int:
    from aipipe.calibrate.picture import picture, points_of
    from aipipe.calibrate.report import document, in_words
    from aipipe.calibrate.steps import calibrate
    from aipipe_core.change.git import top_of

    top = top_of(Path.cwd())
    outcome = calibrate(top, top / ".aipipe", since=arguments.since, tell=_progress)
    tell(in_words(outcome), document(outcome), arguments.json)
    if arguments.svg:
        title = f"{top.name}: {outcome.judged:,} commits that nothing was fitted to"
        write_file(Path(arguments.svg), picture(points_of(outcome.curve), title, standalone=True))
    return ExitCode.DONE if outcome.adopted else ExitCode.NO


def _progress(count: int) -> None:
    print(f"{count:,} commits read", file=sys.stderr, flush=True)
