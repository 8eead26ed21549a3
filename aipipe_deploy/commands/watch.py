"""``aipipe-deploy watch``: watch what serves, and roll back by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.errors import RequestError
from aipipe_deploy.commands import common, resume, rollback
from aipipe_deploy.config import Watch
from aipipe_deploy.journal.model import State
from aipipe_deploy.judge import Outcome
from aipipe_deploy.release.moves import Move
from aipipe_deploy.release.runner import Ending

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: common.Subparsers) -> None:
    """Add the command to ``subparsers``."""
    parser = common.command(
        subparsers, "watch", "watch the newest release; roll back by itself", json_too=False
    )
    common.add_json(parser)
    parser.add_argument("--seconds", type=float, help="length (default: watch.seconds, else 600)")
    parser.set_defaults(run=run, accept=False)


def run(options: argparse.Namespace) -> int:
    """Watch a finished release once more; one that is under way is resumed."""
    with common.opened(options) as project:
        release = project.journal.last()
        if release and release.state.is_open:
            return resume.run(options)
        if release is None or release.state is not State.DONE:
            raise RequestError("nothing-to-watch", "No release serves that could be watched")
        with project.journal.lease():
            runner = project.runner(common.say)
            members = {n: list(range(len(release.units[n].members))) for n in release.changed}
            seconds = project.deploy.watch.seconds or Watch().seconds
            if options.seconds is not None:
                seconds = options.seconds
            params = {"seconds": seconds, "services": members}
            verdict = runner.watcher.watch(release, Move("watch", params))
            text = f"{verdict.outcome.value} after {verdict.t:.1f} s: {verdict.reason}"
            if verdict.outcome is Outcome.FAIL:
                rollback.refuse(release)
                ending = runner.back(release, text)
            else:
                ending = Ending(release.id, State.DONE, text)
        return common.end(project, runner, ending, good=(State.DONE,), to=options.json)
