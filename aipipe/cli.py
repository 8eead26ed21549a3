"""The ``aipipe`` command: its arguments, and who answers them."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe_core.command import run_command
from aipipe_core.errors import ExitCode, RequestError

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
    doctor = commands.add_parser("doctor", help="what is here, what is missing, what to do")
    doctor.add_argument(
        "--would-send",
        nargs="?",
        const="",
        metavar="SPEC",
        help="print exactly what would be sent to a model for this change, and send nothing",
    )
    doctor.set_defaults(answer=_doctor)
    for command in (analyze, doctor):
        command.add_argument(
            "--json", metavar="FILE", help="write the answer as JSON too; - is standard output"
        )
    return top


def _settings(root: Path, arguments: argparse.Namespace) -> Settings:
    from aipipe_core.config import load

    flags = {"default_branch": getattr(arguments, "default_branch", None)}
    return load(root, environ=os.environ, flags=flags)


def _analyze(arguments: argparse.Namespace) -> int:
    from aipipe.analyze import analyze, document, in_words
    from aipipe_core.change.git import top_of

    root = top_of(Path.cwd())
    analysis = analyze(root, arguments.spec, _settings(root, arguments))
    _tell(in_words(analysis), document(analysis), arguments.json)
    return ExitCode.DONE


def _would_send(arguments: argparse.Namespace) -> int:
    from aipipe.doctor.sending import environment, in_words, would_send
    from aipipe_core.change.git import top_of

    questions = would_send(top_of(Path.cwd()), arguments.would_send or None, environment(), [])
    _tell(in_words(questions), {"schema": 1, "questions": questions}, arguments.json)
    return ExitCode.DONE


def _doctor(arguments: argparse.Namespace) -> int:
    from aipipe.doctor import examine
    from aipipe.doctor.report import document, in_words, verdict

    if arguments.would_send is not None:
        return _would_send(arguments)
    findings = examine(Path.cwd(), os.environ)
    _tell(in_words(findings), document(findings), arguments.json)
    return verdict(findings)


def _tell(words: str, answer: dict[str, Any], file: str | None) -> None:
    """Print the words, and the JSON where it was asked for; ``-`` prints JSON alone."""
    text = json.dumps(answer, indent=2) + "\n"
    if file == "-":
        sys.stdout.write(text)
        return
    if file is not None:
        write_whole(Path(file), text)
    print(words.encode("utf-8", "backslashreplace").decode("utf-8"))


def write_whole(path: Path, text: str) -> None:
    """Write a file that is whole or not there; ``RequestError`` (``cannot-write``) otherwise."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # a pipe or /dev/stdout cannot be replaced
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RequestError(
            "cannot-write",
            f"{path} cannot be written: {error.strerror}",
            hint="Name a file in a folder that exists and that you may write to.",
        ) from error
