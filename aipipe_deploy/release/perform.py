"""Make one move, whatever of it was made before. What is there already is left as it is."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import RequestError, SurroundingsError
from aipipe_deploy.proxy.slots import closing, opening, shifting
from aipipe_deploy.targets.unit import JobRun, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from aipipe_deploy.journal.model import Release
    from aipipe_deploy.proxy import Proxy
    from aipipe_deploy.release.moves import Move
    from aipipe_deploy.targets import Target
    from aipipe_deploy.targets.unit import Member

_PAUSE = 0.1
_PROBE_SECONDS = 2.0
_STEADY_SECONDS = 2.0
"""A container that nobody calls counts as ready when it has run for so long."""
_MOST_RESTARTS = 2
_LOOK_EVERY = 5


@dataclass
class Performer:
    """Carries out moves at a target and a proxy."""

    target: Target
    proxy: Proxy
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def perform(self, release: Release, move: Move) -> None:
        """Make ``move``. A watch is not for here: it ends in a verdict, not in a deed."""
        getattr(self, f"_{move.kind}")(release, move)

    def unit_of(self, release: Release, move: Move) -> Unit:
        """The part of a unit that ``move`` is about."""
        wanted = move.params["release"], move.params["service"]
        for units in (release.units, release.before):
            unit = units.get(wanted[1])
            if unit and unit.release == wanted[0]:
                return replace(unit, members=tuple(unit.members[i] for i in move.params["members"]))
        raise RequestError("journal-failed", f"The journal knows no unit {wanted[1]}-r{wanted[0]}")

    def shift_lines(self, move: Move) -> list[str]:
        """The lines for the proxy that a shift consists of."""
        weights = [(backend, slot, weight) for backend, slot, weight in move.params["weights"]]
        return shifting(weights, sticky=self.proxy.sticky)

    def _prepare(self, _release: Release, _move: Move) -> None:
        self.target.prepare()
        self.proxy.ensure()

    def _job(self, _release: Release, move: Move) -> None:
        self.target.run_job(JobRun.from_json(move.params["job"]))

    def _start(self, release: Release, move: Move) -> None:
        self.target.start(self.unit_of(release, move))

    def _ready(self, release: Release, move: Move) -> None:
        """Wait until every member answers; give up early on one that keeps dying."""
        unit = self.unit_of(release, move)
        began = self.clock()
        before = self.target.faults(unit).restarts
        needed = min(unit.replicas, len(unit.members))
        why: dict[str, str] = {}
        rounds = 0
        while self.clock() - began < unit.ready:
            if unit.port:
                why = {m.name: problem for m in unit.members if (problem := _ask(m, unit.health))}
                if len(unit.members) - len(why) >= needed:
                    return
            rounds += 1
            if not unit.port or rounds % _LOOK_EVERY == 0:
                faults = self.target.faults(unit)
                if faults.restarts - before >= _MOST_RESTARTS:
                    raise self._never(unit, f"it was started {faults.restarts + 1} times")
                steady = self.clock() - began >= _STEADY_SECONDS and not faults.dead
                if not unit.port and steady and faults.restarts == before:
                    return
            self.sleep(_PAUSE)
        reason = "; ".join(f"{name} {problem}" for name, problem in why.items())
        raise self._never(unit, reason or "; ".join(self.target.faults(unit).dead))

    def _never(self, unit: Unit, reason: str) -> RequestError:
        said = self.target.last_words(unit)
        return RequestError(
            "never-ready",
            f"{unit.name} did not get ready within {unit.ready:g} s: {reason}"
            + (f"; its log ends: {said}" if said else ""),
            where=unit.image,
            hint=f"It must answer GET {unit.health} at port {unit.port} with 2xx or 3xx."
            if unit.port
            else "It must keep running.",
        )

    def _join(self, release: Release, move: Move) -> None:
        """Give the members slots without traffic, and wait until HAProxy's own check passes."""
        unit = self.unit_of(release, move)
        shown = self.proxy.slots()
        lines: list[str] = []
        for member in unit.members:
            slot = shown[unit.service, member.slot]
            there = (slot.address, slot.port) == (member.address, member.port)
            if not (there and slot.open):
                lines += opening(slot, member.address, member.port)
        if lines:
            self.proxy.apply(lines)
        self._wait_checked(unit)

    def _wait_checked(self, unit: Unit) -> None:
        end = self.clock() + unit.ready
        needed = min(unit.replicas, len(unit.members))
        while True:
            stats = self.proxy.runtime.stats()
            servers = [stats[unit.service, member.slot] for member in unit.members]
            passing = [s.check.lstrip("* ").startswith("L7OK") for s in servers]
            # A slot counts as up until its first checks fail, and none may get traffic by that.
            settled = all(ok or not s.up for s, ok in zip(servers, passing, strict=True))
            if settled and sum(passing) >= needed:
                return
            if self.clock() > end:
                states = ", ".join(f"{s.name} {s.status} {s.check}" for s in servers)
                raise self._never(unit, f"the proxy's check does not pass ({states})")
            self.sleep(_PAUSE / 2)

    def _shift(self, _release: Release, move: Move) -> None:
        try:
            self.proxy.apply(self.shift_lines(move))
        except SurroundingsError as error:
            if error.slug != "proxy-down":
                raise
            self.proxy.ensure()
            self.proxy.apply(self.shift_lines(move))

    def _drain(self, release: Release, move: Move) -> None:
        """Wait until nothing is being answered there, at most the unit's time for it."""
        unit = self.unit_of(release, move)
        end = self.clock() + unit.drain
        while self.clock() < end:
            stats = self.proxy.runtime.stats()
            found = [stats.get((unit.service, slot)) for slot in unit.slots]
            if not any(server and server.current for server in found):
                return
            self.sleep(_PAUSE / 2)

    def _leave(self, release: Release, move: Move) -> None:
        unit = self.unit_of(release, move)
        shown = self.proxy.slots()
        lines: list[str] = []
        for member in unit.members:
            slot = shown.get((unit.service, member.slot))
            # Another unit may have been given the slot since.
            if slot and (slot.address, slot.port) == (member.address, member.port):
                lines += closing(unit.service, member.slot)
        if lines:
            self.proxy.apply(lines)

    def _stop(self, release: Release, move: Move) -> None:
        self.target.stop(self.unit_of(release, move))

    def _remove(self, release: Release, move: Move) -> None:
        self.target.remove(self.unit_of(release, move))

    def _sweep(self, release: Release, move: Move) -> None:
        """Take away units that neither serve nor would serve after a rollback."""
        self.target.sweep(set(move.params["keep"]), release.id)


def _ask(member: Member, path: str) -> str:
    """Return "" when the member answers its health path, else what is wrong."""
    connection = http.client.HTTPConnection(member.address, member.port, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", path, headers={"User-Agent": "aipipe-deploy"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"does not answer ({getattr(error, 'strerror', None) or type(error).__name__})"
    finally:
        connection.close()
    return "" if 200 <= status < 400 else f"answers {status}"  # noqa: PLR2004 - HTTP's classes


def commands_of(performer: Performer, release: Release, move: Move) -> list[Any]:
    """Return every command that ``move`` runs on a host where nothing of it was done yet."""
    target, proxy = performer.target, performer.proxy
    kind = move.kind
    if kind == "prepare":
        return [*target.network(), *proxy.shown()]
    if kind == "job":
        return list(target.working(JobRun.from_json(move.params["job"])))
    if kind == "shift":
        return ["; ".join(performer.shift_lines(move)) + "  # HAProxy, one line"]
    if kind in ("watch", "sweep"):
        return []
    unit = performer.unit_of(release, move)
    if kind == "ready":
        return [f"GET http://{m.address}:{m.port}{unit.health}" for m in unit.members if unit.port]
    if kind == "join":
        from aipipe_deploy.proxy.slots import Slot

        return [
            "; ".join(opening(Slot(unit.service, m.slot), m.address, m.port)) for m in unit.members
        ]
    if kind == "leave":
        return ["; ".join(closing(unit.service, m.slot)) for m in unit.members]
    if kind == "drain":
        return [f"show stat  # until {unit.name} answers nothing any more"]
    return list(
        {"start": target.starting, "stop": target.stopping, "remove": target.removing}[kind](unit)
    )
