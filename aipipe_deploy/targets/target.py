"""The target: where units run. Every act may be repeated without harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe_deploy.config import Service
    from aipipe_deploy.targets.command import Command
    from aipipe_deploy.targets.unit import JobRun, Member, Unit


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a unit's containers; empty where all is well."""

    dead: tuple[str, ...] = ()
    """Containers that do not run, each with its reason."""
    restarts: int = 0
    """How often the engine had to start its containers again."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a container uses, file caches not counted, and may use."""

    used: float
    limit: float

    @property
    def share(self) -> float:
        """The part of the limit that is used."""
        return self.used / self.limit if self.limit > 0 else 0.0


class Target(Protocol):
    """One Docker host or a Swarm; argv comes from pure functions, so that a plan can show it."""

    def check(self) -> None:
        """Raise ``SurroundingsError`` where no engine answers, or not to us."""

    def network(self) -> list[Command]:
        """Commands that make the network."""

    def prepare(self) -> None:
        """Make what all units need: the network."""

    def members(
        self, service: Service, *, release: int, taken: Sequence[Member], slots: Sequence[str]
    ) -> tuple[Member, ...]:
        """Choose names and addresses for a new unit beside those ``taken``."""

    def digest(self, image: str, *, pull: bool) -> str:
        """Return what ``image`` means now. Raises ``RequestError`` (``image-missing``)."""

    def starting(self, unit: Unit) -> list[Command]:
        """Commands that :meth:`start` runs on an empty host."""

    def start(self, unit: Unit) -> None:
        """Make and start what is missing of ``unit``; also what was stopped."""

    def stopping(self, unit: Unit) -> list[Command]:
        """Commands that :meth:`stop` runs."""

    def stop(self, unit: Unit) -> None:
        """Stop it, and keep it for :meth:`start`."""

    def removing(self, unit: Unit) -> list[Command]:
        """Commands that :meth:`remove` runs."""

    def remove(self, unit: Unit) -> None:
        """Take it away."""

    def faults(self, unit: Unit) -> Faults:
        """Look at its containers."""

    def memory(self, *units: Unit) -> dict[str, Memory]:
        """What each container uses, by name; empty where nobody can tell."""

    def last_words(self, unit: Unit) -> str:
        """The end of its logs, on one line, secrets masked; "" where there are none."""

    def working(self, job: JobRun) -> list[Command]:
        """Commands that :meth:`run_job` runs."""

    def run_job(self, job: JobRun) -> None:
        """Run it exactly once, however often this is called.

        Raises ``RequestError`` (``job-failed``) when it ends with an error.
        """

    def job_began(self, job: JobRun) -> bool:
        """Tell whether it was ever started."""

    def sweep(self, keep: set[str], release: int) -> None:
        """Take away all units but ``keep``, and the jobs of releases before ``release``."""
