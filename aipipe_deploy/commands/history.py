"""``aipipe-deploy history``: releases and what became of them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from aipipe_core.errors import ExitCode
from aipipe_deploy.commands import common

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: common.Subparsers) -> None:
    """Add the command to ``subparsers``."""
    parser = common.command(subparsers, "history", "releases and what became of them")
    parser.add_argument("--limit", type=int, default=20, help="how many (default: 20)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the newest releases first."""
    with common.opened(options) as project:
        releases = project.journal.history(limit=max(0, options.limit))
    if options.json:
        print(json.dumps({"schema": 1, "releases": [common.record_of(r) for r in releases]}))
        return int(ExitCode.DONE)
    for release in releases:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(release.started))
        services = ", ".join(f"{n}={release.units[n].image}" for n in release.changed)
        print(
            f"{release.id:4}  {when}  {release.strategy:10}  {release.state.value:12}  {services}"
        )
        if release.outcome:
            print(f"      {release.outcome}")
    return int(ExitCode.DONE)
