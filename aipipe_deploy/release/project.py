"""The project: everything that a command needs, made from the configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import RequestError
from aipipe_deploy.config import Deploy, Watch, load_deploy
from aipipe_deploy.journal import Journal
from aipipe_deploy.proxy import Proxy, proxy_for
from aipipe_deploy.release.perform import Performer
from aipipe_deploy.release.plan import Plan, make_plan, new_units
from aipipe_deploy.release.runner import Runner
from aipipe_deploy.release.watch import Window
from aipipe_deploy.strategies import Choice, Facts, choose
from aipipe_deploy.strategies.calendar import moment_at
from aipipe_deploy.targets import Shell, Target, target_for
from aipipe_deploy.targets.host import secret_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aipipe_deploy.strategies.choice import Model


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person or a pipeline asks of a release.

    ``watch`` is the window that somebody asked for, ``routed`` the one of the change's route,
    which a window in the configuration goes before.
    """

    strategy: str = "auto"
    risk: str = "medium"
    kinds: frozenset[str] = frozenset()
    anyway: bool = False
    again: bool = False
    images: tuple[tuple[str, str], ...] = ()
    watch: float | None = None
    routed: float | None = None
    details: tuple[tuple[str, Any], ...] = ()


@dataclass
class Project:
    """One project's journal, target and proxy."""

    deploy: Deploy
    journal: Journal
    target: Target
    proxy: Proxy
    shell: Shell

    @classmethod
    def at(cls, root: Path, *, environ: Mapping[str, str] | None = None) -> Project:
        """Open the project whose configuration is at ``root``."""
        return cls.of(load_deploy(root), root, environ=environ)

    @classmethod
    def of(cls, deploy: Deploy, root: Path, *, environ: Mapping[str, str] | None = None) -> Project:
        """Open the project that ``deploy`` describes."""
        folder = (root / deploy.state).resolve()
        names = {name for service in deploy.services.values() for name in service.secrets}
        shell = Shell(deploy.host, os.environ if environ is None else environ, frozenset(names))
        journal = Journal(folder)
        return cls(deploy, journal, target_for(deploy, shell), proxy_for(deploy, folder), shell)

    def performer(self) -> Performer:
        """What makes this project's moves."""
        return Performer(self.target, self.proxy)

    def runner(self, tell: Callable[[str], None]) -> Runner:
        """What carries this project's releases through."""
        performer = self.performer()
        window = Window(
            performer, self.deploy.watch, metrics=self.deploy.metrics, record=self.proxy.record
        )
        return Runner(self.journal, performer, window, self.deploy.watch.unsure, tell)

    def plan(
        self, wish: Wish, *, pull: bool, now: datetime | None = None, model: Model | None = None
    ) -> Plan | None:
        """Return the plan of the next release; None when nothing would change.

        Changes nothing but the engine's images (``pull``). Raises ``AipipeError`` for whatever
        would make the release fail and can be known before.
        """
        from dataclasses import replace

        self.deploy = with_wish(self.deploy, wish)
        deploy = self.deploy
        self._check()
        images = {service.image for service in deploy.services.values()}
        images |= {j.image for s in deploy.services.values() for j in s.jobs if j.image}
        digests = {image: self.target.digest(image, pull=pull) for image in sorted(images)}
        serving = self.journal.serving()
        before = serving.units if serving else {}
        number = self.journal.next_id()
        units = new_units(
            deploy, self.target, release=number, before=before,
            slots=self.proxy.slots(), digests=digests, again=wish.again,
        )  # fmt: skip
        changed = [name for name, unit in units.items() if unit.release == number]
        if not changed and not set(before) - set(units):
            return None
        choice = self._choose(wish, changed, first=not before, now=now, model=model)
        plan = make_plan(
            deploy, choice, number=number, units=units, before=before,
            previous=serving.id if serving else None,
            splits=deploy.target == "docker", details=self._details(wish, choice),
        )  # fmt: skip
        return replace(plan)

    def _check(self) -> None:
        self.target.check()
        missing = self.shell.missing(
            tuple(name for s in self.deploy.services.values() for name in s.secrets)
        )
        if missing:
            raise secret_missing(sorted(set(missing)))
        self.proxy.check()

    def _choose(
        self,
        wish: Wish,
        changed: list[str],
        *,
        first: bool,
        now: datetime | None,
        model: Model | None,
    ) -> Choice:
        services = [self.deploy.services[name] for name in changed]
        facts = Facts(
            services=tuple(changed),
            risk=wish.risk,
            kinds=wish.kinds,
            irreversible=any(job.irreversible for s in services for job in s.jobs),
            first=first,
            moment=moment_at(self.deploy.calendar, now or datetime.now(UTC)),
        )
        wanted = wish.strategy if wish.strategy != "auto" else self.deploy.strategy
        return choose(facts, wanted=wanted, anyway=wish.anyway, model=model)

    def _details(self, wish: Wish, choice: Choice) -> dict[str, object]:
        return {
            "risk": wish.risk,
            "kinds": sorted(wish.kinds),
            "allowed": list(choice.allowed),
            **dict(wish.details),
        }


def with_wish(deploy: Deploy, wish: Wish) -> Deploy:
    """Return the configuration with the wish's images and window in it."""
    from dataclasses import replace

    services = dict(deploy.services)
    for name, image in wish.images:
        if name not in services:
            raise RequestError(
                "unknown-service",
                f"There is no service {name!r}",
                where=deploy.where,
                hint=f"The services are {', '.join(services)}.",
            )
        services[name] = replace(services[name], image=image)
    return replace(deploy, services=services, watch=_window(deploy.watch, wish))


def _window(watch: Watch, wish: Wish) -> Watch:
    """Return the watch's windows: as asked for, else as configured, else as the route says."""
    from dataclasses import replace

    if wish.watch is not None:
        return replace(watch, seconds=wish.watch, high_risk_seconds=wish.watch)
    if wish.routed is None:
        return watch
    plain, routed = Watch(), wish.routed
    own, high = watch.seconds != plain.seconds, watch.high_risk_seconds != plain.high_risk_seconds
    return replace(
        watch,
        seconds=watch.seconds if own else routed,
        high_risk_seconds=watch.high_risk_seconds if high else routed,
    )
