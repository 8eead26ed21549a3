"""``aipipe-deploy rollback``: back to what served before; there is no version to name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.errors import RequestError
from aipipe_deploy.commands import common
from aipipe_deploy.journal.model import State

if TYPE_CHECKING:
    import argparse

    from aipipe_deploy.journal.model import Release


def add_parser(subparsers: common.Subparsers) -> None:
    """Add the command to ``subparsers``."""
    parser = common.command(subparsers, "rollback", "back to what served before", json_too=False)
    common.add_json(parser)
    parser.add_argument("--reason", default="rolled back by hand", help="kept in the history")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Undo the newest release, finished or not; 1 where a migration bars the way."""
    with common.opened(options) as project, project.journal.lease():
        release = project.journal.last()
        refuse(release)
        assert release is not None  # noqa: S101 - refused above
        project.proxy.ensure()
        with common.herald(options, project) as herald:
            runner = project.runner(herald.step)
            ending = runner.back(release, options.reason)
            herald.end(ending)
        return common.end(project, runner, ending, good=(State.ROLLED_BACK,), to=options.json)


def refuse(release: Release | None) -> None:
    """Raise where there is nothing to go back from, or to."""
    if release is None:
        raise RequestError("nothing-to-undo", "There is no release to undo")
    if release.state is State.ROLLED_BACK:
        raise RequestError(
            "nothing-to-undo",
            f"Release {release.id} is rolled back already, and a rollback is never rolled back",
            hint="To change what serves: aipipe-deploy up.",
        )
    if release.state is State.DONE and release.previous is None:
        raise RequestError(
            "nothing-to-undo",
            f"Release {release.id} is the first: nothing served before",
            hint="To change what serves: aipipe-deploy up.",
        )
