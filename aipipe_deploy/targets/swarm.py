"""Docker Swarm: a service for each unit, at a port of every node that it may run on.

HAProxy stays in front and knows each node's address; where no task of the unit runs its check
fails, so a task that moves to another node is found without any runner. The routing mesh is not
used: it would hide from HAProxy which version answers, and not every kernel has it.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import RequestError, SurroundingsError
from aipipe_deploy.targets.argv import LABEL, docker, settings_of
from aipipe_deploy.targets.host import DockerHost, secret_missing
from aipipe_deploy.targets.target import Faults, Memory
from aipipe_deploy.targets.unit import Member, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_deploy.config import Deploy, Service
    from aipipe_deploy.targets.command import Command, Shell

_PORTS = range(20000, 30000)


class Swarm(DockerHost):
    """See :class:`~aipipe_deploy.targets.target.Target`. Jobs run on the manager's own engine."""

    def __init__(self, deploy: Deploy, shell: Shell) -> None:
        super().__init__(deploy, shell)
        self._wanted = frozenset(deploy.nodes)
        self._nodes: dict[str, str] | None = None

    def check(self) -> None:
        """Ask whether the engine manages a Swarm."""
        super().check()
        state = self._shell.run(docker("info", "--format", "{{.Swarm.ControlAvailable}}")).strip()
        if state != "true":
            raise SurroundingsError(
                "swarm-missing",
                "This engine manages no Swarm",
                hint="docker swarm init there, or point deploy.host at a manager.",
            )
        unknown = self._wanted - set(self.nodes())
        if unknown:
            raise RequestError(
                "node-unknown",
                f"The Swarm has no ready node {', '.join(sorted(unknown))}",
                hint=f"There are {', '.join(sorted(self.nodes()))}.",
            )

    def nodes(self) -> dict[str, str]:
        """Addresses of the nodes that take work, by host name."""
        if self._nodes is None:
            ids = self._shell.run(docker("node", "ls", "--quiet")).split()
            found = json.loads(self._shell.run(docker("node", "inspect", *ids)))
            self._nodes = {
                node["Description"]["Hostname"]: _address(node)
                for node in found
                if node["Spec"]["Availability"] == "active" and node["Status"]["State"] == "ready"
            }
        return self._nodes

    def network(self) -> list[Command]:
        """An overlay, to which the jobs' containers may be attached as well."""
        return [
            docker(
                "network", "create", "--driver", "overlay", "--attachable",
                "--label", f"{LABEL}.project={self._project}", self._project,
            )
        ]  # fmt: skip

    def prepare(self) -> None:
        """Make the network unless it is there."""
        if self._shell.ask(docker("network", "inspect", self._project)).code:
            for command in self.network():
                self._shell.run(command)

    def members(
        self, service: Service, *, release: int, taken: Sequence[Member], slots: Sequence[str]
    ) -> tuple[Member, ...]:
        """One member for each node, all at one port that no other unit has."""
        nodes = {
            name: address
            for name, address in sorted(self.nodes().items())
            if not self._wanted or name in self._wanted
        }
        if not service.port:
            return (Member(f"{self._project}-{service.name}-r{release}", "", 0),)
        if service.replicas > len(nodes):
            raise RequestError(
                "nodes-few",
                f"{service.name} has {service.replicas} replicas and the Swarm {len(nodes)} nodes",
                hint="A node runs one replica of a version; lower `replicas` or add nodes.",
            )
        used = {member.port for member in taken}
        first = zlib.crc32(f"{self._project}/{service.name}/{release}".encode())
        port = next(
            p for i in range(len(_PORTS)) if (p := _PORTS[(first + i) % len(_PORTS)]) not in used
        )
        return tuple(
            Member(name, address, port, slots[i] if i < len(slots) else "")
            for i, (name, address) in enumerate(nodes.items())
        )

    def starting(self, unit: Unit) -> list[Command]:
        """See the protocol."""
        return [self._create_service(unit)]

    def _create_service(self, unit: Unit) -> Command:
        words = ["service", "create", "--detach", "--name", self._service(unit)]
        words += ["--replicas", str(unit.replicas), "--endpoint-mode", "dnsrr"]
        words += ["--network", self._project, "--no-resolve-image"]
        words += ["--label", f"{LABEL}.project={self._project}"]
        words += ["--label", f"{LABEL}.unit={unit.name}"]
        words += ["--limit-memory", unit.memory] if unit.memory else []
        if unit.port:
            published = unit.members[0].port
            words += ["--replicas-max-per-node", "1"]
            words += ["--publish", f"mode=host,published={published},target={unit.port}"]
        for name in sorted(set(self.nodes()) - self._wanted) if self._wanted else ():
            words += ["--constraint", f"node.hostname!={name}"]
        for volume in unit.volumes:
            source, target, *mode = volume.split(":")
            sort = "bind" if source.startswith("/") else "volume"
            only = ",readonly" if mode else ""
            words += ["--mount", f"type={sort},source={source},target={target}{only}"]
        plain = settings_of(_without_volumes(unit))
        return docker(*words, *plain, unit.image, *unit.command, secrets=unit.secrets)

    def start(self, unit: Unit) -> None:
        """Make the service, or bring it back to its replicas."""
        spec = self._spec(unit)
        if spec is None:
            missing = self._shell.missing(unit.secrets)
            if missing:
                raise secret_missing(missing)
            command = self._create_service(unit)
            if self._shell.ask(command).code and self._spec(unit) is None:
                self._shell.run(command)
        elif spec["Mode"]["Replicated"]["Replicas"] != unit.replicas:
            self._shell.run(self._scale(unit, unit.replicas))

    def stopping(self, unit: Unit) -> list[Command]:
        """See the protocol."""
        return [self._scale(unit, 0)]

    def stop(self, unit: Unit) -> None:
        """Scale it to nothing; its definition stays."""
        if self._spec(unit) is not None:
            self._shell.run(self._scale(unit, 0))

    def removing(self, unit: Unit) -> list[Command]:
        """See the protocol."""
        return [docker("service", "rm", self._service(unit))]

    def remove(self, unit: Unit) -> None:
        """Take the service away."""
        if self._spec(unit) is not None:
            self._shell.run(*self.removing(unit))

    def faults(self, unit: Unit) -> Faults:
        """Look at the tasks that should run, and at those that failed."""
        answer = self._shell.ask(
            docker("service", "ps", "--no-trunc", "--format", "{{json .}}", self._service(unit))
        )
        if answer.code:
            return Faults((f"{self._service(unit)} is gone",))
        tasks = [json.loads(line) for line in answer.out.splitlines() if line.strip()]
        failed = [t for t in tasks if t["CurrentState"].startswith(("Failed", "Rejected"))]
        running = [t for t in tasks if t["CurrentState"].startswith("Running")]
        if not running and failed:
            why = failed[0].get("Error") or failed[0]["CurrentState"]
            return Faults((f"{self._service(unit)} has no running task: {why}",), len(failed))
        return Faults((), len(failed))

    def memory(self, *_units: Unit) -> dict[str, Memory]:
        """Nothing: a manager does not know what containers of other nodes use."""
        return {}

    def last_words(self, unit: Unit) -> str:
        """See the protocol."""
        answer = self._shell.ask(
            docker("service", "logs", "--raw", "--tail", "3", self._service(unit), timeout=10.0)
        )
        return "" if answer.code else self._shell.masked(" ".join(answer.out.split()))[-200:]

    def sweep(self, keep: set[str], release: int) -> None:
        """See the protocol."""
        super().sweep(keep, release)
        listing = docker(
            "service", "ls", "--filter", f"label={LABEL}.project={self._project}",
            "--format", "{{.Name}}",
        )  # fmt: skip
        prefix = f"{self._project}-"
        for name in self._shell.run(listing).split():
            if name.removeprefix(prefix) not in keep:
                self._shell.run(docker("service", "rm", name))

    def _service(self, unit: Unit) -> str:
        return f"{self._project}-{unit.name}"

    def _scale(self, unit: Unit, replicas: int) -> Command:
        return docker("service", "scale", "--detach", f"{self._service(unit)}={replicas}")

    def _spec(self, unit: Unit) -> dict[str, Any] | None:
        answer = self._shell.ask(docker("service", "inspect", self._service(unit)))
        if answer.code:
            if "no such service" not in answer.err.lower():
                self._shell.run(docker("service", "inspect", self._service(unit)))
            return None
        found: dict[str, Any] = json.loads(answer.out)[0]["Spec"]
        return found


def _without_volumes(unit: Unit) -> Unit:
    from dataclasses import replace

    return replace(unit, volumes=())


def _address(node: dict[str, Any]) -> str:
    """The address that other nodes know; a lone manager calls itself 0.0.0.0."""
    address = str(node["Status"].get("Addr", ""))
    if address in ("", "0.0.0.0"):  # noqa: S104 - compared, not bound
        address = str(node.get("ManagerStatus", {}).get("Addr", "127.0.0.1:0")).rpartition(":")[0]
    return address
