"""The argv of every Docker command that a release runs on one host."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from aipipe_deploy.targets.command import Command

if TYPE_CHECKING:
    from aipipe_deploy.targets.unit import JobRun, Member, Unit

LABEL = "dev.aipipe"
_PULL_SECONDS = 1800.0


def docker(*words: str, secrets: tuple[str, ...] = (), timeout: float = 60.0) -> Command:
    """Return one call of the Docker client."""
    return Command(("docker", *words), secrets, timeout)


def network(project: str, subnet: str) -> Command:
    """Make the project's network. Docker gives addresses of its first half to strangers."""
    first = next(ipaddress.ip_network(subnet).subnets(prefixlen_diff=1))
    return docker(
        "network", "create", "--subnet", subnet, "--ip-range", str(first),
        "--label", f"{LABEL}.project={project}", project,
    )  # fmt: skip


def settings_of(part: Unit | JobRun) -> list[str]:
    """Options for environment, secrets (by name alone) and volumes."""
    words: list[str] = []
    for name, value in part.env:
        words += ["--env", f"{name}={value}"]
    for name in part.secrets:
        words += ["--env", name]  # without a value the client takes it from its environment
    for volume in part.volumes:
        words += ["--volume", volume]
    return words


def create(project: str, unit: Unit, member: Member) -> Command:
    """Make one container of ``unit``."""
    return docker(
        "create", "--name", member.name,
        "--network", project, "--ip", member.address,
        "--restart", "unless-stopped", *_limits_of(unit),
        "--label", f"{LABEL}.project={project}", "--label", f"{LABEL}.unit={unit.name}",
        *settings_of(unit), unit.digest or unit.image, *unit.command,
        secrets=unit.secrets,
    )  # fmt: skip


def _limits_of(unit: Unit) -> list[str]:
    return ["--memory", unit.memory] if unit.memory else []


def create_job(project: str, job: JobRun) -> Command:
    """Make the container of a job; it stays until the release is over, as a memory."""
    return docker(
        "create", "--name", job.name, "--network", project,
        "--label", f"{LABEL}.project={project}", "--label", f"{LABEL}.job={job.name}",
        *settings_of(job), job.image, *job.command, secrets=job.secrets,
    )  # fmt: skip


def start(name: str) -> Command:
    """Start a container."""
    return docker("start", name)


def wait(name: str, timeout: float) -> Command:
    """Wait for a container's end; prints its exit code."""
    return docker("wait", name, timeout=timeout)


def stop(name: str, grace: float) -> Command:
    """Stop a container; ``grace`` seconds stand between the polite and the rude signal."""
    return docker("stop", "--time", str(max(1, round(grace))), name, timeout=60.0 + grace)


def remove(*names: str) -> Command:
    """Take containers away, running or not."""
    return docker("rm", "--force", *names)


def inspect(*names: str) -> Command:
    """Look at containers; those that there are are printed, whatever the exit code."""
    return docker("container", "inspect", *names)


def stats(*names: str) -> Command:
    """Print what containers use, a JSON object a line; nothing where one is missing."""
    return docker("stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", *names)


def listed(project: str) -> Command:
    """List the project's containers, a line each: name, unit, job."""
    columns = ("{{.Names}}", f'{{{{.Label "{LABEL}.unit"}}}}', f'{{{{.Label "{LABEL}.job"}}}}')
    return docker(
        "ps", "--all", "--filter", f"label={LABEL}.project={project}",
        "--format", "\t".join(columns),
    )  # fmt: skip


def logs(name: str) -> Command:
    """Print the last lines that a container wrote."""
    return docker("logs", "--tail", "3", name)


def image(reference: str) -> Command:
    """Print what a reference means here."""
    return docker("image", "inspect", "--format", "{{.Id}}", reference)


def pull(reference: str) -> Command:
    """Fetch an image."""
    return docker("pull", "--quiet", reference, timeout=_PULL_SECONDS)
