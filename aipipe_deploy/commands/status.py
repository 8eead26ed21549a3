"""``aipipe-deploy status``: what the journal says, and what Docker and HAProxy show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import AipipeError, ExitCode
from aipipe_deploy.commands import common

if TYPE_CHECKING:
    import argparse

    from aipipe_deploy.release.project import Project


def add_parser(subparsers: common.Subparsers) -> None:
    """Add the command to ``subparsers``."""
    parser = common.command(subparsers, "status", "what serves, and what is under way")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what stands; 1 when a release waits to be finished or something is not well."""
    with common.opened(options) as project:
        record = look(project)
    print(json.dumps(record, indent=2) if options.json else _text(record))
    return int(ExitCode.NO if record["problems"] else ExitCode.DONE)


def look(project: Project) -> dict[str, Any]:
    """Return the state of the project as a JSON object."""
    last, serving = project.journal.last(), project.journal.serving()
    problems: list[str] = []
    units = dict(serving.units) if serving else {}
    if last and last.state.is_open:
        problems.append(
            f"release {last.id} is {last.state.value}: aipipe-deploy resume, or rollback"
        )
    services = {name: unit.image for name, unit in units.items()}
    traffic: list[dict[str, Any]] = []
    try:
        stats = project.proxy.runtime.stats()
        shown = project.proxy.slots()
        for key, slot in shown.items():
            if not slot.open or key not in stats:
                continue
            server = stats[key]
            traffic.append(
                {
                    "service": slot.backend, "slot": slot.name, "weight": slot.weight,
                    "address": f"{slot.address}:{slot.port}", "status": server.status,
                    "requests": server.requests, "bad": server.bad,
                }
            )  # fmt: skip
    except AipipeError as error:
        if any(unit.slots for unit in units.values()):
            problems.append(str(error))
    for unit in units.values():
        if last and last.state.is_open:
            break  # half way through, what serves is not one unit for each service
        try:
            problems += project.target.faults(unit).dead
        except AipipeError as error:
            problems.append(str(error))
            break
    return {
        "schema": 1,
        "project": project.deploy.project,
        "serving": common.record_of(serving) if serving else None,
        "services": services,
        "last": common.record_of(last) if last else None,
        "traffic": traffic,
        "problems": problems,
    }


def _text(record: dict[str, Any]) -> str:
    serving = record["serving"]
    lines = [f"{record['project']}: " + (f"release {serving['id']}" if serving else "no release")]
    lines += [f"  {name}: {image}" for name, image in record["services"].items()]
    lines += [
        "  {service}/{slot} {address} weight {weight} {status}, {requests} requests,"
        " {bad} bad".format(**server)
        for server in record["traffic"]
    ]
    lines += [f"! {problem}" for problem in record["problems"]]
    return "\n".join(lines)
