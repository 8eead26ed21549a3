"""The plan: from a configuration and what serves now to the moves of one release."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aipipe_core.errors import RequestError
from aipipe_deploy.journal.model import Release, State
from aipipe_deploy.proxy.slots import weights_for
from aipipe_deploy.release.moves import Move, on_unit
from aipipe_deploy.strategies import CATALOGUE, FIRST, Act, Choice, Per, Step
from aipipe_deploy.targets.unit import JobRun, Member, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe_deploy.config import Deploy, Service
    from aipipe_deploy.proxy.slots import Slot
    from aipipe_deploy.targets.target import Target


@dataclass(frozen=True, slots=True)
class Plan:
    """A release that is ready to be journalled, and all its moves."""

    release: Release
    moves: tuple[Move, ...]


def new_units(
    deploy: Deploy,
    target: Target,
    *,
    release: int,
    before: Mapping[str, Unit],
    slots: Mapping[tuple[str, str], Slot],
    digests: Mapping[str, str],
    again: bool = False,
) -> dict[str, Unit]:
    """Return the unit of every service: a new one where it differs from what serves.

    ``again`` makes new ones of all.
    """
    taken: list[Member] = [member for unit in before.values() for member in unit.members]
    units: dict[str, Unit] = {}
    for service in deploy.in_order():
        old = before.get(service.name)
        free = _free_slots(service, old, slots)
        members = target.members(service, release=release, taken=taken, slots=free)
        unit = _unit(service, release, members, digests.get(service.image, ""))
        if old and not again and old.fingerprint() == unit.fingerprint():
            units[service.name] = replace(old, ready=unit.ready, drain=unit.drain)
            continue
        if service.public and len(free) < len(members):
            raise RequestError(
                "slots-full",
                f"The proxy has {len(free)} free slots for {service.name}, {len(members)} needed",
                hint="Set a larger deploy.proxy.slots.",
            )
        taken.extend(members)
        units[service.name] = unit
    return units


def make_plan(
    deploy: Deploy,
    choice: Choice,
    *,
    number: int,
    units: dict[str, Unit],
    before: dict[str, Unit],
    previous: int | None,
    splits: bool,
    details: dict[str, object] | None = None,
) -> Plan:
    """Return the release and its moves. ``splits``: containers of a unit start one by one."""
    release = Release(
        id=number,
        strategy=choice.strategy,
        reason=choice.reason,
        state=State.RUNNING,
        started=time.time(),
        ended=None,
        previous=previous,
        outcome="",
        units=units,
        before=before,
        details=dict(details or {}),
    )
    maker = _Maker(deploy, release, long_watch=choice.long_watch, splits=splits)
    return Plan(release, tuple(maker.moves()))


class _Maker:
    """Turns a strategy's steps into moves."""

    def __init__(self, deploy: Deploy, release: Release, *, long_watch: bool, splits: bool) -> None:
        self._deploy = deploy
        self._release = release
        self._splits = splits
        watch = deploy.watch
        self._windows = {
            "whole": watch.high_risk_seconds if long_watch else watch.seconds,
            "step": watch.step_seconds,
        }
        order = [service.name for service in deploy.in_order()]
        self._changed = [name for name in order if name in release.changed]
        name = release.strategy
        self._strategy = FIRST if name == FIRST.name else CATALOGUE[name]

    def moves(self) -> list[Move]:
        moves = [Move("prepare")]
        if self._strategy.per is Per.REPLICA:
            moves += self._jobs()
            for name in self._changed:
                moves += self._replica_by_replica(name)
        else:
            everything = {name: self._members(name) for name in self._changed}
            moves += self._round(self._strategy.steps, everything)
        moves += self._round(self._strategy.after, {n: self._members(n) for n in self._changed})
        return moves + self._end()

    def _members(self, name: str) -> list[int]:
        return list(range(len(self._release.units[name].members)))

    def _replica_by_replica(self, name: str) -> list[Move]:
        members = self._members(name)
        if not self._splits:
            return self._round(self._strategy.steps, {name: members})
        moves: list[Move] = []
        for index in members:
            moves += self._round(self._strategy.steps, {name: [index]})
        return moves

    def _round(self, steps: Sequence[Step], part: dict[str, list[int]]) -> list[Move]:
        moves: list[Move] = []
        for step in steps:
            moves += self._step(step, part)
        return moves

    def _step(self, step: Step, part: dict[str, list[int]]) -> list[Move]:
        units = self._release.units
        if step.act is Act.JOBS:
            return self._jobs()
        if step.act in (Act.START, Act.READY):
            return [on_unit(step.act, units[name], members) for name, members in part.items()]
        if step.act is Act.JOIN:
            return [
                on_unit("join", units[name], members)
                for name, members in part.items()
                if units[name].slots
            ]
        if step.act is Act.SHIFT:
            return self._shifts(step.to, part)
        return self._watch(step.window, part)

    def _shifts(self, to: str, part: dict[str, list[int]]) -> list[Move]:
        if to == "canary":
            moves: list[Move] = []
            for percent in self._deploy.canary.steps:
                moves += self._shift(percent / 100, part)
                moves += self._watch("step", part)
            return moves
        if to == "control":
            if not self._windows["whole"] or not any(n in self._release.before for n in part):
                return []
            return self._shift(1 - self._deploy.watch.control / 100, part)
        if to == "replica":
            ((name, members),) = part.items()
            reached = (members[-1] + 1) / len(self._release.units[name].members)
            return self._shift(reached, {name: list(range(members[-1] + 1))})
        return self._shift(1.0, part)

    def _shift(self, share: float, part: dict[str, list[int]]) -> list[Move]:
        weights: list[list[object]] = []
        for name, members in part.items():
            unit, old = self._release.units[name], self._release.before.get(name)
            if not unit.slots:
                continue
            olds = old.slots if old else ()
            # A unit of a Swarm has a slot for each node and answers at some: those count.
            count_new = len(members) if self._splits else unit.replicas
            count_old = len(olds) if self._splits or not old else old.replicas
            heavy_old, heavy_new = weights_for(share, count_old, count_new)
            weights += [[name, unit.members[index].slot, heavy_new] for index in members]
            weights += [[name, slot, heavy_old] for slot in olds]
        return [Move("shift", {"share": share, "weights": weights})] if weights else []

    def _watch(self, window: str, part: dict[str, list[int]]) -> list[Move]:
        """Watch the members that were started by now, those of earlier rounds as well."""
        seconds = self._windows[window]
        started = {name: list(range(members[-1] + 1)) for name, members in part.items()}
        return [Move("watch", {"seconds": seconds, "services": started})] if seconds else []

    def _jobs(self) -> list[Move]:
        return [
            self._job(name, job.name)
            for name in self._changed
            for job in self._deploy.services[name].jobs
        ]

    def _job(self, name: str, job_name: str) -> Move:
        service = self._deploy.services[name]
        unit = self._release.units[name]
        job = next(job for job in service.jobs if job.name == job_name)
        run = JobRun(
            name=f"{self._deploy.project}-{name}-{job.name}-r{self._release.id}",
            image=job.image or unit.digest or unit.image,
            command=job.command,
            irreversible=job.irreversible,
            timeout=job.timeout,
            env=service.env,
            secrets=service.secrets,
            volumes=service.volumes,
        )
        return Move("job", {"service": name, "job": run.as_json()})

    def _end(self) -> list[Move]:
        """Retire what served before, those who were started last first."""
        before = self._release.before
        gone = [n for n in reversed(self._changed) if n in before]
        gone += [name for name in before if name not in self._release.units]
        moves: list[Move] = []
        for name in gone:
            unit = before[name]
            kinds = ("drain", "leave", "stop") if unit.slots else ("stop",)
            moves += [on_unit(kind, unit) for kind in kinds]
        keep = [unit.name for unit in (*self._release.units.values(), *before.values())]
        return [*moves, Move("sweep", {"keep": sorted(set(keep))})]


def _unit(service: Service, release: int, members: tuple[Member, ...], digest: str) -> Unit:
    return Unit(
        service=service.name,
        release=release,
        image=service.image,
        digest=digest,
        members=members,
        replicas=service.replicas,
        port=service.port,
        health=service.health,
        ready=service.ready,
        drain=service.drain,
        sticky=service.sticky,
        command=service.command,
        env=service.env,
        secrets=service.secrets,
        volumes=service.volumes,
        memory=service.memory,
    )


def _free_slots(
    service: Service, old: Unit | None, slots: Mapping[tuple[str, str], Slot]
) -> list[str]:
    if not service.public:
        return []
    used = set(old.slots) if old else set()
    return [
        name
        for (backend, name), slot in slots.items()
        if backend == service.name and name not in used and not slot.serves
    ]
