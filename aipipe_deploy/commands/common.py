"""What the release commands share: their options, opening the project, telling the end."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe_core.documents import write_document
from aipipe_core.errors import ExitCode, RequestError
from aipipe_deploy.release.document import document
from aipipe_deploy.release.herald import Herald
from aipipe_deploy.release.project import Project, Wish
from aipipe_deploy.release.samples import Samples

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from aipipe_deploy.journal.model import Release, State
    from aipipe_deploy.release.runner import Ending, Runner

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name

STRATEGIES = ("auto", "rolling", "blue-green", "canary", "hotfix")
PRINTED = "-"
RISKS = ("low", "medium", "high")


def command(
    subparsers: Subparsers, name: str, about: str, *, json_too: bool = True
) -> argparse.ArgumentParser:
    """Add a command with the options that all have."""
    parser = subparsers.add_parser(name, help=about, description=about)
    parser.add_argument("--root", default=".", help="folder with the configuration (default: .)")
    if json_too:
        parser.add_argument("--json", action="store_true", help="print a JSON object")
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option of a command that makes moves: the whole document, printed or written."""
    parser.add_argument(
        "--json",
        nargs="?",
        const=PRINTED,
        metavar="FILE",
        help="print deploy.json in one line, or write it to FILE",
    )


def add_wishes(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which release is wanted."""
    parser.add_argument("--strategy", choices=STRATEGIES, default="auto", help="how to roll out")
    parser.add_argument(
        "--image", action="append", default=[], metavar="SERVICE=IMAGE", help="another image"
    )
    parser.add_argument("--risk", choices=RISKS, help="the change's risk (default: medium)")
    parser.add_argument("--kinds", default="", help="the change's kinds, separated by commas")
    parser.add_argument(
        "--analysis",
        metavar="FILE",
        help="take risk, kinds and the watch's length from `aipipe analyze --json FILE`",
    )
    parser.add_argument("--watch", type=float, metavar="SECONDS", help="length of the window")
    parser.add_argument("--anyway", action="store_true", help="in spite of the calendar")
    parser.add_argument("--again", action="store_true", help="even where nothing changed")


def wish_of(options: argparse.Namespace) -> Wish:
    """Return what the options ask for. Raises ``RequestError``."""
    analysis = _analysis(options.analysis) if options.analysis else {}
    risk = analysis.get("risk", {})
    kinds = [k for k in options.kinds.split(",") if k] or list(analysis.get("kinds", []))
    details = {"probability": risk["probability"]} if "probability" in risk else {}
    if analysis.get("head"):
        details["head"] = analysis["head"]
    if options.watch is not None and not 0 <= options.watch <= 86_400:  # noqa: PLR2004 - a day
        raise RequestError("bad-watch", "--watch takes 0 to 86400 seconds")
    return Wish(
        strategy=options.strategy,
        risk=options.risk or risk.get("level", "medium"),
        kinds=frozenset(kinds),
        anyway=options.anyway,
        again=options.again,
        images=tuple(_pair(text) for text in options.image),
        watch=options.watch,
        routed=_routed(analysis),
        details=tuple(details.items()),
    )


def _routed(analysis: dict[str, Any]) -> float | None:
    """Return the seconds of watch that the analysis' route asks for."""
    seconds = analysis.get("route", {}).get("watch_seconds")
    sane = isinstance(seconds, int | float) and 0 <= seconds <= 86_400  # noqa: PLR2004 - a day
    return float(seconds) if sane else None


def _pair(text: str) -> tuple[str, str]:
    service, separator, image = text.partition("=")
    if not (separator and service and image):
        raise RequestError(
            "bad-image", f"{text!r} is no SERVICE=IMAGE", hint="Write --image web=shop/web:42."
        )
    return service, image


def _analysis(file: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(
            "analysis-unreadable",
            f"The analysis cannot be read: {error}",
            where=file,
            hint="Make it with aipipe analyze --json FILE.",
        ) from error
    level = found.get("risk", {}).get("level") if isinstance(found, dict) else None
    if level not in RISKS:
        raise RequestError(
            "analysis-unreadable",
            "The analysis has no risk level",
            where=file,
            hint="Make it with aipipe analyze --json FILE.",
        )
    return dict(found)


def herald(options: argparse.Namespace, project: Project) -> Herald:
    """Return who tells the channels of this release. Raises for channels set up wrongly."""
    root = Path(options.root)
    folder = root / project.deploy.state
    return Herald.at(root, folder, project.deploy.project, os.environ, say)


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Project]:
    """Open the project for a command."""
    project = Project.at(Path(options.root))
    try:
        yield project
    except KeyboardInterrupt:
        last = project.journal.last()
        if last and last.state.is_open:
            say(
                f"Interrupted: release {last.id} is {last.state.value};"
                " aipipe-deploy resume goes on with it, rollback takes it back."
            )
        raise
    finally:
        project.journal.close()


def say(text: str) -> None:
    """Tell of progress: on standard error, so that standard output is the answer."""
    print(text, file=sys.stderr, flush=True)


def end(
    project: Project, runner: Runner, ending: Ending, *, good: Sequence[State], to: str | None
) -> int:
    """Tell how it ended, in words or as ``deploy.json``; return the exit code."""
    hand_over(_document(project, runner, ending), ending.text, to)
    return int(ExitCode.DONE if ending.state in good else ExitCode.NO)


def hand_over(found: dict[str, Any], text: str, to: str | None) -> None:
    """Print ``text``; or print the document in one line; or write it to the file ``to``."""
    if to == PRINTED:
        print(json.dumps(found))
        return
    if to:
        write_document(Path(to), "deploy", found)
    print(text)


def _document(project: Project, runner: Runner, ending: Ending) -> dict[str, Any]:
    release = project.journal.last()
    assert release is not None  # noqa: S101 - it has just ended
    samples = getattr(runner.watcher, "samples", None) or Samples()
    return document(release, project.journal.entries(release.id), samples, ending)


def nothing_open(release: Release | None) -> RequestError:
    """Return the error for going on where nothing waits."""
    stands = f"release {release.id} is {release.state.value}" if release else "there is no release"
    return RequestError(
        "nothing-open", f"Nothing waits to be resumed: {stands}", hint="aipipe-deploy status"
    )


def record_of(release: Release) -> dict[str, Any]:
    """A release as JSON, for history and status."""
    return {
        "id": release.id,
        "strategy": release.strategy,
        "reason": release.reason,
        "state": release.state.value,
        "outcome": release.outcome,
        "started": release.started,
        "ended": release.ended,
        "previous": release.previous,
        "services": {n: release.units[n].image for n in release.changed},
        "details": release.details,
    }
