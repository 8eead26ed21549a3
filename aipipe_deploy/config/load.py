"""Read and check the table ``deploy``: every key known, every value of its kind."""

from __future__ import annotations

import difflib
import graphlib
import ipaddress
import re
import zlib
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aipipe_core.config import room_table
from aipipe_core.config.kinds import Wrong
from aipipe_core.errors import RequestError
from aipipe_deploy.config import model
from aipipe_deploy.config.kinds import is_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

T = TypeVar("T")
_TABLES: dict[str, type] = {
    "proxy": model.Proxy, "watch": model.Watch, "metrics": model.Metrics, "canary": model.Canary,
}  # fmt: skip
_ADDRESS = re.compile(r"[\w.:\[\]]+")


def load_deploy(root: Path) -> model.Deploy:
    """Return the configuration of the project at ``root``.

    Raises ``RequestError``: ``unknown-setting``, ``wrong-setting``, ``deploy-unconfigured``,
    and those of the core's reader.
    """
    where, table = room_table(root, "deploy")
    if not table:
        raise RequestError(
            "deploy-unconfigured",
            "Nothing says what to release",
            where=str(root),
            hint="Add a table [deploy] to aipipe.toml, or [tool.aipipe.deploy] to pyproject.toml,"
            " with [deploy.services.NAME] and an image; docs/deploy.md has an example.",
        )
    return parse_deploy(table, where=where, folder=root.resolve().name)


def parse_deploy(table: Mapping[str, Any], *, where: str, folder: str = "app") -> model.Deploy:
    """Return what ``table`` says, checked and completed."""
    rest = dict(table)
    parts: dict[str, Any] = {
        name: _read(owner, _table(rest.pop(name, {}), where, name), where, name)
        for name, owner in _TABLES.items()
    }
    parts["calendar"] = _calendar(_table(rest.pop("calendar", {}), where, "calendar"), where)
    parts["services"] = {
        name: _service(name, _table(item, where, f"services.{name}"), where)
        for name, item in _table(rest.pop("services", {}), where, "services").items()
    }
    known = [*_TABLES, "calendar", "services"]
    deploy = replace(_read(model.Deploy, rest, where, "", known), **parts, where=where)
    project = deploy.project or _project_of(folder)
    deploy = replace(deploy, project=project, subnet=deploy.subnet or _subnet_of(project))
    _consistent(deploy)
    return deploy


def _table(value: object, where: str, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(where, name, "must be a table")
    return value


def _read(
    owner: type[T],
    table: Mapping[str, Any],
    where: str,
    prefix: str,
    also: Iterable[str] = (),
) -> T:
    """Return an ``owner`` made of ``table``; its kinds stand in the fields' metadata."""
    kinds = {f.name: f.metadata["kind"] for f in fields(_dataclass(owner)) if "kind" in f.metadata}
    values: dict[str, Any] = {}
    for name, value in table.items():
        full = ".".join(part for part in ("deploy", prefix, name) if part)
        if name not in kinds:
            raise _unknown(where, full, name, [*kinds, *also])
        try:
            values[name] = kinds[name].read(value)
        except Wrong as error:
            raise _wrong(where, full, str(error)) from error
    return owner(**values)


def _dataclass(owner: type) -> Any:
    assert is_dataclass(owner)  # noqa: S101 - for the type checker
    return owner


def _service(name: str, table: dict[str, Any], where: str) -> model.Service:
    prefix = f"services.{name}"
    if not is_name(name):
        raise _wrong(
            where,
            f"deploy.{prefix}",
            "must be named in lower-case letters, digits and dashes (at most 31)",
        )
    rest = dict(table)
    raw = rest.pop("jobs", [])
    if not isinstance(raw, list):
        raise _wrong(where, f"deploy.{prefix}.jobs", "must be a list of tables")
    part = f"{prefix}.jobs"
    jobs = [_read(model.Job, _table(item, where, part), where, part) for item in raw]
    service = _read(model.Service, rest, where, prefix, ["jobs"])
    if not service.image:
        raise _wrong(where, f"deploy.{prefix}.image", "must name an image")
    for job in jobs:
        if not job.name or not job.command:
            raise _wrong(where, f"deploy.{prefix}.jobs", "must each have a name and a command")
    if len({job.name for job in jobs}) < len(jobs):
        raise _wrong(where, f"deploy.{prefix}.jobs", "must have different names")
    return replace(service, name=name, jobs=tuple(jobs))


def _calendar(table: dict[str, Any], where: str) -> model.Calendar:
    rest = dict(table)
    raw = rest.pop("freeze", [])
    if not isinstance(raw, list):
        raise _wrong(where, "deploy.calendar.freeze", "must be a list of tables")
    spans = tuple(
        _read(model.Freeze, _table(item, where, "calendar.freeze"), where, "calendar.freeze")
        for item in raw
    )
    calendar = replace(_read(model.Calendar, rest, where, "calendar", ["freeze"]), freeze=spans)
    from aipipe_deploy.strategies.calendar import check_calendar

    try:
        check_calendar(calendar)
    except ValueError as error:
        raise _wrong(where, "deploy.calendar", str(error)) from error
    return calendar


def _consistent(deploy: model.Deploy) -> None:
    """Raise where the parts do not fit together."""
    where = deploy.where
    metrics = deploy.metrics
    if metrics.url and not re.match(r"https?://[^\s/]+", metrics.url):
        raise _wrong(where, "deploy.metrics.url", "must be an http or https address")
    if metrics.url and not (metrics.requests and metrics.bad):
        raise _wrong(where, "deploy.metrics", "needs the queries requests and bad as well")
    if not deploy.services:
        raise _wrong(where, "deploy.services", "must name at least one service")
    ports: dict[int, str] = {}
    for name, service in deploy.services.items():
        for other in service.after:
            if other not in deploy.services:
                raise _unknown(where, f"deploy.services.{name}.after", other, list(deploy.services))
        if service.public and not service.port:
            raise _wrong(where, f"deploy.services.{name}.listen", "needs a port as well")
        if service.public and service.public in ports:
            taken = ports[service.public]
            raise _wrong(
                where, f"deploy.services.{name}.listen", f"is {service.public}, as {taken}'s is"
            )
        ports[service.public] = name
        if 2 * service.replicas > deploy.proxy.slots:
            raise _wrong(
                where, "deploy.proxy.slots", f"must hold two versions of {name}'s replicas"
            )
        if not service.health.startswith("/") or re.search(r"\s", service.health):
            raise _wrong(where, f"deploy.services.{name}.health", "must be a path such as /health")
    _check_rest(deploy, where)


def _check_rest(deploy: model.Deploy, where: str) -> None:
    try:
        cast("Callable[[], object]", deploy.in_order)()
    except graphlib.CycleError as error:
        raise _wrong(where, "deploy.services", f"wait for each other: {error.args[1]}") from error
    try:
        network = ipaddress.ip_network(deploy.subnet)
    except ValueError as error:
        raise _wrong(where, "deploy.subnet", f"is no network: {error}") from error
    if network.num_addresses < 64:  # noqa: PLR2004 - two generations of a few services
        raise _wrong(where, "deploy.subnet", "must have at least 64 addresses")
    if not _ADDRESS.fullmatch(deploy.proxy.bind):
        raise _wrong(where, "deploy.proxy.bind", "must be an address")


def _project_of(folder: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:31].strip("-")
    return name if is_name(name) else f"app-{name}"[:31].strip("-")


def _subnet_of(project: str) -> str:
    """A network of the project's own that is the same at every run."""
    number = zlib.crc32(project.encode())
    return f"10.{200 + number % 50}.{number // 50 % 256}.0/24"


def _unknown(where: str, full: str, name: str, known: list[str]) -> RequestError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return RequestError(
        "unknown-setting",
        f"{name!r} is unknown at {full}",
        where=where,
        hint=f"Did you mean {near[0]!r}?" if near else "",
    )


def _wrong(where: str, name: str, why: str) -> RequestError:
    return RequestError(
        "wrong-setting", f"{name} {why}", where=where, hint="Correct it, or leave it out."
    )
