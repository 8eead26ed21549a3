"""One Docker host: a container for each replica, each with an address of its own.

The addresses are fixed ones in the project's network, chosen before the containers start. So a
plan can name them, and a container that the engine starts again is where it was before; a
published port would go through a second proxy and die with the engine.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import AipipeError, RequestError, SurroundingsError
from aipipe_deploy.targets import argv
from aipipe_deploy.targets.target import Faults, Memory
from aipipe_deploy.targets.unit import JobRun, Member, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_deploy.config import Deploy, Service
    from aipipe_deploy.targets.command import Command, Shell

_STOP_SECONDS = 10.0


class DockerHost:
    """See :class:`~aipipe_deploy.targets.target.Target`."""

    def __init__(self, deploy: Deploy, shell: Shell) -> None:
        self._project = deploy.project
        self._subnet = deploy.subnet
        self._shell = shell

    def check(self) -> None:
        """Ask the engine for its version."""
        self._shell.run(argv.docker("version", "--format", "{{.Server.Version}}", timeout=20.0))

    def network(self) -> list[Command]:
        """See the protocol."""
        return [argv.network(self._project, self._subnet)]

    def prepare(self) -> None:
        """Make the network unless it is there."""
        look = argv.docker("network", "inspect", "--format", "{{json .IPAM.Config}}", self._project)
        answer = self._shell.ask(look)
        if answer.code:
            self._shell.run(*self.network())
            return
        subnets = [part.get("Subnet") for part in json.loads(answer.out) or []]
        if self._subnet not in subnets:
            raise RequestError(
                "network-differs",
                f"The network {self._project} has the subnet {', '.join(map(str, subnets))}"
                f" and not {self._subnet}",
                hint=f"Set deploy.subnet to it, or remove it: docker network rm {self._project}",
            )

    def members(
        self, service: Service, *, release: int, taken: Sequence[Member], slots: Sequence[str]
    ) -> tuple[Member, ...]:
        """Take free addresses of the network's second half."""
        used = {member.address for member in taken}
        whole = ipaddress.ip_network(self._subnet)
        usable = list(whole.hosts())
        # Turning through the range keeps an address unused for long after its unit is gone.
        hosts = [str(host) for host in usable[len(usable) // 2 + 1 :]]
        first = release * 7 % len(hosts)
        free = [host for host in hosts[first:] + hosts[:first] if host not in used]
        if len(free) < service.replicas:
            raise RequestError(
                "subnet-full", f"{self._subnet} has no free address", hint="Set a larger one."
            )
        return tuple(
            Member(
                f"{self._project}-{service.name}-r{release}-{i + 1}",
                free[i],
                service.port,
                slots[i] if slots else "",
            )
            for i in range(service.replicas)
        )

    def digest(self, image: str, *, pull: bool) -> str:
        """Look the image up here, then at its registry."""
        answer = self._shell.ask(argv.image(image))
        if answer.code and pull:
            self._shell.run(argv.pull(image))
            answer = self._shell.ask(argv.image(image))
        if answer.code:
            self._shell.run(argv.image(image))  # raises, with the cause
        return answer.out.strip()

    def starting(self, unit: Unit) -> list[Command]:
        """See the protocol."""
        return [
            command
            for member in unit.members
            for command in (argv.create(self._project, unit, member), argv.start(member.name))
        ]

    def start(self, unit: Unit) -> None:
        """Make what is missing, start what does not run."""
        there = self._inspect(unit)
        for member in unit.members:
            if member.name not in there:
                self._create(argv.create(self._project, unit, member), member.name)
            elif there[member.name]["State"]["Running"]:
                continue
            self._shell.run(argv.start(member.name))

    def _create(self, command: Command, name: str) -> None:
        missing = self._shell.missing(command.secrets)
        if missing:
            raise secret_missing(missing)
        answer = self._shell.ask(command)
        # A runner that was killed may have left a client that finishes its work after it.
        if answer.code and not self._shell.ask(argv.inspect(name)).code:
            return
        if answer.code:
            self._shell.run(command)

    def stopping(self, unit: Unit) -> list[Command]:
        """See the protocol."""
        return [argv.stop(member.name, _STOP_SECONDS) for member in unit.members]

    def stop(self, unit: Unit) -> None:
        """Stop what runs of it."""
        for name, found in self._inspect(unit).items():
            if found["State"]["Running"] or found["State"].get("Restarting"):
                self._shell.run(argv.stop(name, _STOP_SECONDS))

    def removing(self, unit: Unit) -> list[Command]:
        """See the protocol."""
        return [argv.remove(*(member.name for member in unit.members))]

    def remove(self, unit: Unit) -> None:
        """Take away what there is of it."""
        names = list(self._inspect(unit))
        if names:
            self._shell.run(argv.remove(*names))

    def faults(self, unit: Unit) -> Faults:
        """Look for containers that are gone, ended, or were started again."""
        there = self._inspect(unit)
        dead = [
            f"{member.name} {_ending(there.get(member.name))}"
            for member in unit.members
            if member.name not in there or not there[member.name]["State"]["Running"]
        ]
        restarts = sum(int(found.get("RestartCount", 0)) for found in there.values())
        return Faults(tuple(dead), restarts)

    def memory(self, *units: Unit) -> dict[str, Memory]:
        """See the protocol."""
        names = [member.name for unit in units for member in unit.members]
        answer = self._shell.ask(argv.stats(*names))
        return {} if answer.code else memory_in(answer.out)

    def last_words(self, unit: Unit) -> str:
        """See the protocol."""
        for member in unit.members:
            answer = self._shell.ask(argv.logs(member.name))
            said = self._shell.masked(" ".join((answer.out + " " + answer.err).split()))
            if not answer.code and said:
                return said[-200:]
        return ""

    def working(self, job: JobRun) -> list[Command]:
        """See the protocol."""
        return [
            argv.create_job(self._project, job),
            argv.start(job.name),
            argv.wait(job.name, job.timeout),
        ]

    def run_job(self, job: JobRun) -> None:
        """Start its container unless it ran already; wait for its end."""
        if not self._there(job.name):
            self._create(argv.create_job(self._project, job), job.name)
        state = self._there(job.name)["State"]
        if state["Status"] == "created":
            self._shell.run(argv.start(job.name))
        code = self._shell.run(argv.wait(job.name, job.timeout)).strip()
        if code != "0":
            answer = self._shell.ask(argv.logs(job.name))
            said = self._shell.masked(" ".join((answer.out + " " + answer.err).split()))
            raise RequestError(
                "job-failed",
                f"The job {job.name} ended with exit code {code}: {said[-200:]}",
                hint="Mend it and release again.",
            )

    def job_began(self, job: JobRun) -> bool:
        """See the protocol."""
        found = self._there(job.name)
        return bool(found) and found["State"]["Status"] != "created"

    def sweep(self, keep: set[str], release: int) -> None:
        """See the protocol."""
        rows = [
            line.split("\t") for line in self._shell.run(argv.listed(self._project)).splitlines()
        ]
        names = [
            name
            for name, unit, job in rows
            if (unit and unit not in keep) or (job and not job.endswith(f"-r{release}"))
        ]
        if names:
            self._shell.run(argv.remove(*names))

    def _there(self, name: str) -> dict[str, Any]:
        return self._inspected((name,)).get(name, {})

    def _inspect(self, unit: Unit) -> dict[str, dict[str, Any]]:
        return self._inspected(tuple(member.name for member in unit.members))

    def _inspected(self, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        answer = self._shell.ask(argv.inspect(*names))
        if answer.code and "no such container" not in answer.err.lower():
            self._shell.run(argv.inspect(*names))  # raises, with the cause
        try:
            found = json.loads(answer.out or "[]")
        except ValueError as error:
            raise SurroundingsError("engine-failed", "Docker's answer is no JSON") from error
        return {item["Name"].lstrip("/"): item for item in found}


def memory_in(text: str) -> dict[str, Memory]:
    """Read what ``docker stats`` printed; what is no line of it is passed over."""
    found: dict[str, Memory] = {}
    for line in text.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            row = json.loads(line)
            used, limit = row["MemUsage"].split("/")
            found[row["Name"]] = Memory(_bytes(used), _bytes(limit))
    return found


def _bytes(text: str) -> float:
    number = text.strip().rstrip("KMGTPiB")
    power = " KMGTP".index(text.strip()[len(number) :].rstrip("iB") or " ")
    return float(number) * 1024.0**power


def _ending(found: dict[str, Any] | None) -> str:
    if found is None:
        return "is gone"
    state = found["State"]
    if state.get("OOMKilled"):
        return "was killed for its memory"
    return f"{state['Status']} with exit code {state['ExitCode']}"


def secret_missing(names: list[str]) -> AipipeError:
    """Return the error for secrets that the environment lacks."""
    return RequestError(
        "secret-missing",
        f"The environment lacks the secret {', '.join(names)}",
        hint="Export it where the release runs; it is written down nowhere.",
    )
