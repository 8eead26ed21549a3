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
    _add_run(commands)
    doctor = commands.add_parser("doctor", help="what is here, what is missing, what to do")
    doctor.set_defaults(answer=_doctor)
    init = commands.add_parser(
        "init", help="write the pipeline, the CI jobs and the hook that fit this repository"
    )
    init.add_argument(
        "--ci",
        choices=("auto", "github", "gitlab", "both", "none"),
        default="auto",
        help="whose CI (auto: by what the repository holds and its remotes; else GitHub)",
    )
    init.add_argument("--print", action="store_true", help="print the files, write none")
    init.set_defaults(answer=_init)
    report = commands.add_parser("report", help="the run as a page")
    report.add_argument(
        "run", nargs="?", metavar="RUN", help="the run's folder or id (default: the latest)"
    )
    report.add_argument("--html", metavar="FILE", default="aipipe-report.html", help="the page")
    report.set_defaults(answer=_report)
    dashboard = commands.add_parser("dashboard", help="how the runs went over time")
    dashboard.add_argument("--html", metavar="FILE", help="write a page too")
    dashboard.set_defaults(answer=_dashboard)
    publish = commands.add_parser(
        "publish", help="comment on the pull or merge request, mark the commit, set job outputs"
    )
    publish.add_argument(
        "run", nargs="?", metavar="RUN", help="the run's folder or id (default: the latest)"
    )
    publish.set_defaults(answer=_publish)
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
    report = commands.add_parser("report", help="a run in words")
    report.add_argument("run", nargs="?", metavar="RUN", help="its id, or the last one")
    report.add_argument("--json", metavar="FILE", help="write run.json there; - prints it")
    report.set_defaults(answer=_report)


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


def _report(arguments: argparse.Namespace) -> int:
    from aipipe.run.folder import find_run
    from aipipe.run.report import in_words
    from aipipe_core.change.git import top_of

    found = find_run(top_of(Path.cwd()) / ".aipipe", arguments.run).read()
    _tell(in_words(found), found, arguments.json)
    return ExitCode.DONE


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


def _doctor(arguments: argparse.Namespace) -> int:
    from aipipe.doctor import examine
    from aipipe.doctor.report import document, in_words, verdict

    findings = examine(Path.cwd(), os.environ)
    _tell(in_words(findings), document(findings), arguments.json)
    return verdict(findings)


def _init(arguments: argparse.Namespace) -> int:
    from aipipe.init import look, write_all
    from aipipe.init.write import contents
    from aipipe_core.change.git import top_of

    root = top_of(Path.cwd())
    repository = look(root)
    ci = (repository.forge or "github") if arguments.ci == "auto" else arguments.ci
    if arguments.print:
        for planned, text in contents(repository, ci):
            print(f"# --- {planned.path}\n{text}")
        return ExitCode.DONE
    for written in write_all(root, repository, ci):
        print(f"{written.path}: {written.outcome}" + (f"; {written.todo}" if written.todo else ""))
    print("Next: `aipipe doctor`, then `pytest --ai-diff` after a change.")
    return ExitCode.DONE


def _report(arguments: argparse.Namespace) -> int:
    from aipipe.page import gather, render_page
    from aipipe.runs import run_folder
    from aipipe_core.change.git import top_of

    root = top_of(Path.cwd())
    page = gather(root, run_folder(root, arguments.run))
    write_whole(Path(arguments.html), render_page(page))
    print(f"{arguments.html} is the page.")
    return ExitCode.DONE


def _dashboard(arguments: argparse.Namespace) -> int:
    from aipipe.dashboard import history_of, render_dashboard
    from aipipe.dashboard.render import in_words
    from aipipe_core.change.git import top_of

    root = top_of(Path.cwd())
    history = history_of(root / ".aipipe" / "runs")
    print(in_words(history))
    if arguments.html:
        write_whole(Path(arguments.html), render_dashboard(history, root.name))
    return ExitCode.DONE


def _publish(arguments: argparse.Namespace) -> int:
    from aipipe.forge.publish import publish
    from aipipe.runs import run_folder
    from aipipe_core.change.git import top_of

    for sentence in publish(run_folder(top_of(Path.cwd()), arguments.run), os.environ):
        print(sentence)
    return ExitCode.DONE


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
