"""Commands as values: argv is built in pure code and executed here, in one place."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError, RequestError, SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORTEST_MASKED = 4
_WORDS = 300

_CAUSES = (
    (("permission denied while trying to connect", "dial unix", "permission denied"),
     "engine-permission", "The Docker engine's socket may not be used by this user",
     "Add the user to the engine's group, or set DOCKER_HOST to an engine of its own."),
    (("cannot connect to the docker daemon", "error during connect", "connection refused"),
     "engine-unreachable", "No Docker engine answers",
     "Start it, or set DOCKER_HOST or deploy.host."),
    (("no space left on device", "disk quota exceeded"),
     "disk-full", "The disk is full", "Free room (docker system df); then aipipe-deploy resume."),
    (("pool overlaps", "invalid pool request"),
     "subnet-taken", "The containers' network overlaps another one",
     "Set deploy.subnet to a free one."),
    (("port is already allocated", "address already in use"),
     "port-taken", "An address that the release needs is taken", "Free it; the line names it."),
    (("no such image", "pull access denied", "manifest unknown", "repository does not exist",
      "invalid reference format", "unable to find image", "failed to resolve reference",
      "failed to do request", "not found: manifest"),
     "image-missing", "There is no such image", "Check its name, or build and push it first."),
)  # fmt: skip
_ALL_NEEDED = frozenset({"engine-permission"})


@dataclass(frozen=True, slots=True)
class Command:
    """One call of a program. ``secrets`` names variables that it inherits, never values."""

    argv: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    timeout: float = 60.0

    def __str__(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str


@dataclass
class Shell:
    """Runs commands. Secrets reach the child by its environment and leave no other trace."""

    host: str = ""
    """The Docker engine's address; "" for the environment's own."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    secrets: frozenset[str] = frozenset()
    """Names of all secret variables of the project: only who needs one inherits it."""

    def run(self, command: Command) -> str:
        """Return what it printed. Raises ``AipipeError`` with a slug by the cause."""
        answer = self.ask(command)
        if answer.code:
            raise self._explained(command, answer)
        return answer.out

    def ask(self, command: Command) -> Answer:
        """Return what it said, whatever its exit code."""
        try:
            done = subprocess.run(
                command.argv,
                env=self._environment(command),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=command.timeout,
            )
        except FileNotFoundError as error:
            raise SurroundingsError(
                "docker-missing",
                f"There is no {command.argv[0]} on the PATH",
                hint="Install Docker's command line.",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise SurroundingsError(
                "engine-slow",
                f"No answer within {command.timeout:g} s to: {command}",
                hint="See whether the engine is well; then aipipe-deploy resume.",
            ) from error
        return Answer(done.returncode, done.stdout, self.masked(done.stderr))

    def masked(self, text: str) -> str:
        """``text`` without the value of any secret."""
        for name in self.secrets:
            value = self.environ.get(name, "")
            if len(value) >= _SHORTEST_MASKED:
                text = text.replace(value, "***")
        return text

    def missing(self, names: tuple[str, ...]) -> list[str]:
        """Secrets that the environment does not hold."""
        return [name for name in names if name not in self.environ]

    def _environment(self, command: Command) -> dict[str, str]:
        kept = {
            name: value
            for name, value in self.environ.items()
            if name not in self.secrets or name in command.secrets
        }
        if self.host:
            kept["DOCKER_HOST"] = self.host
        return kept

    def _explained(self, command: Command, answer: Answer) -> AipipeError:
        said = " ".join((answer.err or answer.out).split())[-_WORDS:]
        lower = said.lower()
        for words, slug, what, hint in _CAUSES:
            found = [word in lower for word in words]
            if all(found[1:]) if slug in _ALL_NEEDED else any(found):
                kind = RequestError if slug == "image-missing" else SurroundingsError
                return kind(slug, f"{what}: {said}", where=str(command), hint=hint)
        return SurroundingsError(
            "engine-failed",
            f"Docker refused: {said}",
            where=str(command),
            hint="The line holds its own words.",
        )
