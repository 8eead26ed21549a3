"""``aipipe-deploy resume``: go on where a runner stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_deploy.commands import common
from aipipe_deploy.journal.model import State

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: common.Subparsers) -> None:
    """Add the command to ``subparsers``."""
    parser = common.command(subparsers, "resume", "go on where a runner stopped", json_too=False)
    common.add_json(parser)
    parser.add_argument("--accept", action="store_true", help="without watching any further")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Go on in the release's own direction; a rollback goes on as a rollback."""
    with common.opened(options) as project, project.journal.lease():
        release = project.journal.last()
        if release is None or not release.state.is_open:
            raise common.nothing_open(release)
        project.target.check()
        back = release.state is State.ROLLING_BACK
        with common.herald(options, project) as herald:
            runner = project.runner(herald.step)
            ending = runner.resume(release, accept=options.accept)
            herald.end(ending)
        good = (State.ROLLED_BACK,) if back else (State.DONE,)
        return common.end(project, runner, ending, good=good, to=options.json)
