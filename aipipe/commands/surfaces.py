"""``aipipe init``, ``report``, ``dashboard`` and ``publish``: where people meet a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe.commands.tell import tell, write_file
from aipipe_core.errors import ExitCode

if TYPE_CHECKING:
    import argparse

RUN_HELP = "the run's folder or id (default: the latest)"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the four commands to the parser."""
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
    report = commands.add_parser("report", help="a run in words, or as a page")
    report.add_argument("run", nargs="?", metavar="RUN", help=RUN_HELP)
    report.add_argument("--html", metavar="FILE", help="write the page there")
    report.add_argument("--json", metavar="FILE", help="write its documents there; - prints them")
    report.set_defaults(answer=_report)
    dashboard = commands.add_parser("dashboard", help="how the runs went over time")
    dashboard.add_argument("--html", metavar="FILE", help="write a page too")
    dashboard.set_defaults(answer=_dashboard)
    publish = commands.add_parser(
        "publish", help="comment on the pull or merge request, mark the commit, set job outputs"
    )
    publish.add_argument("run", nargs="?", metavar="RUN", help=RUN_HELP)
    publish.set_defaults(answer=_publish)


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
    from aipipe.run.folder import find_folder
    from aipipe.run.report import in_words
    from aipipe_core.change.git import top_of
    from aipipe_core.documents import read_document

    top = top_of(Path.cwd())
    folder = find_folder(top / ".aipipe", arguments.run)
    if (folder / "run.json").is_file():
        run = read_document(folder / "run.json", "run")
        tell(in_words(run), run, arguments.json)
    else:
        page = gather(top, folder)
        tell("\n".join(page.words()), page.documents, arguments.json)
    if arguments.html:
        write_file(Path(arguments.html), render_page(gather(top, folder)))
    return ExitCode.DONE


def _dashboard(arguments: argparse.Namespace) -> int:
    from aipipe.dashboard import history_of, render_dashboard
    from aipipe.dashboard.render import in_words
    from aipipe_core.change.git import top_of

    root = top_of(Path.cwd())
    history = history_of(root / ".aipipe" / "runs")
    print(in_words(history))
    if arguments.html:
        write_file(Path(arguments.html), render_dashboard(history, root.name))
    return ExitCode.DONE


def _publish(arguments: argparse.Namespace) -> int:
    from aipipe.forge.publish import publish
    from aipipe.run.folder import find_folder
    from aipipe_core.change.git import top_of

    folder = find_folder(top_of(Path.cwd()) / ".aipipe", arguments.run)
    for sentence in publish(folder, os.environ):
        print(sentence)
    return ExitCode.DONE
