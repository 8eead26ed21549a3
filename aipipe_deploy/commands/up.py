"""``aipipe-deploy up``: release what the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.errors import ExitCode, RequestError
from aipipe_deploy.commands import common
from aipipe_deploy.journal.model import State
from aipipe_deploy.release.document import UNCHANGED

if TYPE_CHECKING:
    import argparse

    from aipipe_deploy.journal.model import Release


def add_parser(subparsers: common.Subparsers) -> None:
    """Add the command to ``subparsers``."""
    parser = common.command(subparsers, "up", "release what the configuration says", json_too=False)
    common.add_json(parser)
    common.add_wishes(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Release; 0 when it serves, 1 when it was rolled back, is held or frozen."""
    wish = common.wish_of(options)
    with common.opened(options) as project, project.journal.lease():
        refuse_open(project.journal.last())
        plan = project.plan(wish, pull=True)
        if plan is None:
            common.hand_over(UNCHANGED, _SAME, options.json)
            return int(ExitCode.DONE)
        release = plan.release
        with common.herald(options, project) as herald:
            text = f"release {release.id}: {release.strategy} ({release.reason})"
            common.say(text)
            project.journal.begin(release, plan.moves)
            herald.begin(release.id, text)
            runner = project.runner(herald.step)
            ending = runner.forward(release)
            herald.end(ending)
        return common.end(project, runner, ending, good=(State.DONE,), to=options.json)


_SAME = "what serves is what the configuration says; --again releases it anew"


def refuse_open(release: Release | None) -> None:
    """Raise where an earlier release waits to be finished."""
    if release and release.state.is_open:
        raise RequestError(
            "release-open",
            f"Release {release.id} is {release.state.value} and was not finished",
            hint="aipipe-deploy resume goes on with it, aipipe-deploy rollback takes it back.",
        )
