"""What a release's configuration can say; each field stands with its kind and meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe_core.config.kinds import Number, Switch, Text, Texts
from aipipe_core.config.settings import setting
from aipipe_deploy.config.kinds import Environment, Name, Percentages, Size, Volumes, Words

if TYPE_CHECKING:
    from collections.abc import Mapping

STRATEGIES = ("auto", "rolling", "blue-green", "canary", "hotfix")
_PORT_OR_NONE = Number(0, 65535, whole=True)
_SECONDS = Number(0, 86_400)


@dataclass(frozen=True, slots=True)
class Job:
    """A one-off command of a service's image, run before the new version starts."""

    name: str = setting(Name(), "The job's name, unique in its service.", default="")
    command: tuple[str, ...] = setting(Words(), "What it runs.", default=())
    image: str = setting(Text(), "Its image; empty is the service's own.", default="")
    irreversible: bool = setting(
        Switch(), "It cannot be undone: from its start on there is no rollback.", default=False
    )
    timeout: float = setting(_SECONDS, "Seconds after which it is given up.", default=600.0)


@dataclass(frozen=True, slots=True)
class Service:
    """One service: what runs, where it listens, how one tells that it is ready."""

    image: str = setting(Text(), "The image's reference.", default="")
    port: int = setting(_PORT_OR_NONE, "Port in the container; 0: nobody calls it.", default=0)
    listen: int = setting(_PORT_OR_NONE, "Port at the proxy; 0 is the container's.", default=0)
    health: str = setting(Text(), "Path that answers 2xx or 3xx when ready.", default="/health")
    ready: float = setting(_SECONDS, "Seconds within which it must be ready.", default=60.0)
    drain: float = setting(_SECONDS, "Seconds that requests may take to end.", default=30.0)
    replicas: int = setting(Number(1, 64, whole=True), "Containers of a version.", default=1)
    command: tuple[str, ...] = setting(Words(), "Instead of the image's command.", default=())
    env: tuple[tuple[str, str], ...] = setting(Environment(), "Plain environment.", default=())
    secrets: tuple[str, ...] = setting(
        Texts(), "Variables taken from the runner's environment, never written down.", default=()
    )
    volumes: tuple[str, ...] = setting(Volumes(), "SOURCE:/path[:ro].", default=())
    memory: str = setting(
        Size(), "Most memory of a container, such as 512m; empty: no limit.", default=""
    )
    after: tuple[str, ...] = setting(Texts(), "Services that are released before.", default=())
    sticky: bool = setting(Switch(), "A cookie keeps a user at a container.", default=False)
    name: str = ""
    jobs: tuple[Job, ...] = ()

    @property
    def public(self) -> int:
        """The port at the proxy, 0 for a service that nobody calls."""
        return self.listen or self.port


@dataclass(frozen=True, slots=True)
class Proxy:
    """The HAProxy in front of all services."""

    kind: str = setting(Text(("process", "container")), "Where HAProxy runs.", default="process")
    image: str = setting(Text(), "Its image, for kind container.", default="haproxy:lts")
    binary: str = setting(Text(), "Its program, for kind process.", default="haproxy")
    bind: str = setting(Text(what="an address"), "Address it listens at.", default="0.0.0.0")  # noqa: S104 - a front door
    slots: int = setting(
        Number(2, 256, whole=True), "Containers of one service, all versions.", default=16
    )
    retries: int = setting(Number(0, 10, whole=True), "Retries of idempotent requests.", default=3)
    timeout: float = setting(Number(1, 86_400), "Seconds a request may take.", default=60.0)
    check: float = setting(Number(0.05, 3600), "Seconds between health checks.", default=0.5)


@dataclass(frozen=True, slots=True)
class Watch:
    """How a new version is watched."""

    seconds: float = setting(_SECONDS, "Length of the window; 0: none.", default=600.0)
    high_risk_seconds: float = setting(_SECONDS, "The same at high risk.", default=1800.0)
    step_seconds: float = setting(_SECONDS, "Window of one step of a canary.", default=60.0)
    tick: float = setting(Number(0.05, 60), "Seconds between two looks.", default=0.25)
    control: float = setting(
        Number(0, 50), "Per cent of traffic that stays with the old version.", default=5.0
    )
    probes: float = setting(
        Number(0, 100), "Own requests a second to each version where users are few.", default=4.0
    )
    warmup: float = setting(_SECONDS, "Seconds in which a slow version is excused.", default=4.0)
    unsure: str = setting(
        Text(("pass", "hold", "rollback")), "What follows from no answer.", default="pass"
    )


@dataclass(frozen=True, slots=True)
class Metrics:
    """A Prometheus that counts what both versions answer, instead of the proxy's counters."""

    url: str = setting(Text(what="an address"), "Its address; empty: none.", default="")
    requests: str = setting(
        Text(what="a query"), "Requests so far; $service and $release are filled in.", default=""
    )
    bad: str = setting(Text(what="a query"), "Those of them that failed.", default="")
    every: float = setting(Number(0.2, 300), "Seconds between two questions.", default=1.0)


@dataclass(frozen=True, slots=True)
class Canary:
    """The steps of a canary."""

    steps: tuple[float, ...] = setting(
        Percentages(), "Per cent of traffic, step by step.", default=(5.0, 25.0, 50.0)
    )


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time without releases."""

    start: str = setting(Text(what="a date, or a date and time"), "First moment.", default="")
    end: str = setting(Text(what="a date, or a date and time"), "First moment after.", default="")
    reason: str = setting(Text(), "Why.", default="")


@dataclass(frozen=True, slots=True)
class Calendar:
    """When nobody would be there to look."""

    timezone: str = setting(Text(), "The team's time zone; empty: the machine's.", default="")
    quiet: tuple[str, ...] = setting(
        Texts(), "Weekly spans such as `fri 16:00-mon 08:00`.", default=("fri 16:00-mon 08:00",)
    )
    freeze: tuple[Freeze, ...] = ()


@dataclass(frozen=True, slots=True)
class Deploy:
    """The whole table ``deploy``."""

    project: str = setting(
        Name(empty=True), "Prefix of every name; empty: the folder's.", default=""
    )
    target: str = setting(Text(("docker", "swarm")), "What runs the containers.", default="docker")
    host: str = setting(Text(), "The engine's address; empty: DOCKER_HOST or default.", default="")
    state: str = setting(Text(what="a folder"), "Journal, proxy's files.", default=".aipipe/deploy")
    subnet: str = setting(Text(), "The containers' network; empty: by the project.", default="")
    nodes: tuple[str, ...] = setting(
        Texts(), "Swarm: names of the nodes that serve; empty: all that are ready.", default=()
    )
    strategy: str = setting(Text(STRATEGIES), "How to roll out.", default="auto")
    proxy: Proxy = field(default_factory=Proxy)
    watch: Watch = field(default_factory=Watch)
    metrics: Metrics = field(default_factory=Metrics)
    canary: Canary = field(default_factory=Canary)
    calendar: Calendar = field(default_factory=Calendar)
    services: Mapping[str, Service] = field(default_factory=dict)
    where: str = ""

    def in_order(self) -> list[Service]:
        """The services, each after those that it names in ``after``."""
        from graphlib import TopologicalSorter

        graph = {name: service.after for name, service in self.services.items()}
        return [self.services[name] for name in TopologicalSorter(graph).static_order()]
