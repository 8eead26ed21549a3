"""The ``aipipe`` command: its arguments, and who answers them."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe.commands import learn, surfaces
from aipipe.commands.tell import tell
from aipipe_core.command import run_command
from aipipe_core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_core.config import Settings

SPEC_HELP = (
    "what to compare: nothing (merge base with the default branch, to the working tree), "
    "REV, A..B, A...B, staged, worktree"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``aipipe`` and return its exit code."""
    return run_command(_run, argv)


def _run(argv: Sequence[str]) -> int:
    if not argv:
        parser().print_help()
        print("\naipipe: a command is required", file=sys.stderr)
        return ExitCode.WRONG_REQUEST
    arguments = parser().parse_args(argv)
    code: int = arguments.answer(arguments)
    return code


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of every command."""
    top = argparse.ArgumentParser(
        prog="aipipe", description="Do only, and all, of the work that a change deserves."
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    analyze = commands.add_parser("analyze", help="change kinds, risk with reasons, route")
    analyze.add_argument("spec", nargs="?", metavar="SPEC", help=SPEC_HELP)
    analyze.add_argument("--default-branch", metavar="NAME", help="the branch to compare with")
    analyze.set_defaults(answer=_analyze)
    _add_run(commands)
    doctor = commands.add_parser("doctor", help="what is here, what is missing, what to do")
    doctor.add_argument(
        "--would-send",
        nargs="?",
        const="",
        metavar="SPEC",
        help="print exactly what would be sent to a model for this change, and send nothing",
    )
    doctor.set_defaults(answer=_doctor)
    learn.add(commands)
    surfaces.add(commands)
    for command in (analyze, doctor):
        command.add_argument(
            "--json", metavar="FILE", help="write the answer as JSON too; - is standard output"
        )
    return top


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser("run", help="execute the pipeline on a change, resumable")
    run.add_argument("spec", nargs="?", metavar="SPEC", help=SPEC_HELP)
    run.add_argument("--default-branch", metavar="NAME", help="the branch to compare with")
    run.add_argument("--pipeline", metavar="FILE", help="another file than pipeline.yaml")
    run.add_argument("--dry-run", action="store_true", help="tell what would run, and why")
    run.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="go on with an interrupted or failed run: the last one, or RUN",
    )
    run.add_argument("--jobs", type=_positive, metavar="N", help="stages at a time (the cores)")
    run.set_defaults(answer=_run_pipeline)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _run_pipeline(arguments: argparse.Namespace) -> int:
    from aipipe.run.steps import Request, run
    from aipipe_core.change.git import top_of

    top = top_of(Path.cwd())
    file = Path(arguments.pipeline) if arguments.pipeline else None
    request = Request(arguments.spec, file, arguments.dry_run, arguments.resume, arguments.jobs)
    return run(top, request, _settings(top, arguments))


def _settings(root: Path, arguments: argparse.Namespace) -> Settings:
    from aipipe_core.config import load

    flags = {"default_branch": getattr(arguments, "default_branch", None)}
    return load(root, environ=os.environ, flags=flags)


def _analyze(arguments: argparse.Namespace) -> int:
    from aipipe.analyze import analyze, document, in_words
    from aipipe_core.change.git import top_of

    root = top_of(Path.cwd())
    analysis = analyze(root, arguments.spec, _settings(root, arguments))
    tell(in_words(analysis), document(analysis), arguments.json)
    return ExitCode.DONE


def _would_send(arguments: argparse.Namespace) -> int:
    from aipipe.doctor.sending import environment, in_words, would_send
    from aipipe_core.change.git import top_of

    questions = would_send(top_of(Path.cwd()), arguments.would_send or None, environment(), [])
    tell(in_words(questions), {"schema": 1, "questions": questions}, arguments.json)
    return ExitCode.DONE


def _doctor(arguments: argparse.Namespace) -> int:
    from aipipe.doctor import examine
    from aipipe.doctor.report import document, in_words, verdict

    if arguments.would_send is not None:
        return _would_send(arguments)
    findings = examine(Path.cwd(), os.environ)
    tell(in_words(findings), document(findings), arguments.json)
    return verdict(findings)
