"""``aipipe-deploy plan``: the choice, its reasons, and every command that would run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import ExitCode
from aipipe_deploy.commands import common
from aipipe_deploy.release.document import UNCHANGED
from aipipe_deploy.release.perform import commands_of
from aipipe_deploy.strategies import CATALOGUE

if TYPE_CHECKING:
    import argparse

    from aipipe_deploy.release.plan import Plan
    from aipipe_deploy.release.project import Project


def add_parser(subparsers: common.Subparsers) -> None:
    """Add the command to ``subparsers``."""
    parser = common.command(subparsers, "plan", "show what up would do")
    common.add_wishes(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the plan; nothing is changed."""
    with common.opened(options) as project:
        plan = project.plan(common.wish_of(options), pull=False)
        if plan is None:
            print(json.dumps(UNCHANGED) if options.json else "no change")
            return int(ExitCode.DONE)
        record = as_json(project, plan)
    print(json.dumps(record, indent=2) if options.json else as_text(record))
    return int(ExitCode.DONE)


def as_json(project: Project, plan: Plan) -> dict[str, Any]:
    """The plan as a JSON object."""
    release = plan.release
    performer = project.performer()
    about = CATALOGUE[release.strategy].about if release.strategy in CATALOGUE else ""
    return {
        "schema": 1,
        "release": release.id,
        "strategy": release.strategy,
        "about": about,
        "reason": release.reason,
        "allowed": release.details["allowed"],
        "services": {name: release.units[name].image for name in release.changed},
        "moves": [
            {
                "move": str(move),
                "commands": [str(found) for found in commands_of(performer, release, move)],
            }
            for move in plan.moves
        ],
    }


def as_text(record: dict[str, Any]) -> str:
    """The plan for a terminal."""
    services = ", ".join(f"{name} ({image})" for name, image in record["services"].items())
    lines = [
        f"release {record['release']} of {services}",
        f"strategy {record['strategy']}: {record['about'] or record['reason']}",
        f"why: {record['reason']}; allowed: {', '.join(record['allowed'])}",
        "",
    ]
    for number, move in enumerate(record["moves"], 1):
        lines.append(f"{number:3}. {move['move']}")
        lines += [f"       {command}" for command in move["commands"]]
    return "\n".join(lines)
