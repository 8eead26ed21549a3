"""What runs the containers: one Docker host, or a Swarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_deploy.targets.command import Command, Shell
from aipipe_deploy.targets.host import DockerHost
from aipipe_deploy.targets.target import Faults, Memory, Target
from aipipe_deploy.targets.unit import JobRun, Member, Unit

if TYPE_CHECKING:
    from aipipe_deploy.config import Deploy

__all__ = [
    "Command",
    "DockerHost",
    "Faults",
    "JobRun",
    "Member",
    "Memory",
    "Shell",
    "Target",
    "Unit",
    "target_for",
]


def target_for(deploy: Deploy, shell: Shell) -> Target:
    """Return the target that the configuration names."""
    if deploy.target == "swarm":
        from aipipe_deploy.targets.swarm import Swarm

        return Swarm(deploy, shell)
    return DockerHost(deploy, shell)
