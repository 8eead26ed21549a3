"""Why a build failed, and whose fault it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError, ExitCode, RequestError, SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aipipe_build.verify.facts import Fact

_DISK = re.compile(r"no space left on device|disk quota exceeded|ENOSPC", re.IGNORECASE)
_DOWN = re.compile(
    r"cannot connect to the docker daemon|error during connect|is the docker daemon running|"
    r"permission denied while trying to connect",
    re.IGNORECASE,
)
_DIED = re.compile(
    r"\bEOF\b|connection reset|transport is closing|code = Unavailable|closing transport|"
    r"use of closed network connection|broken pipe|server.* closed|context canceled|"
    r"error reading from server|database not open|failed to receive status",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"dockerfile parse error|failed to compute cache key.*not found|failed to calculate checksum|"
    r"target stage .* could not be found|unknown flag|invalid reference format|"
    r"failed to read dockerfile|circular dependency|invalid tag|secret .*not found|"
    r"failed to stat|unknown instruction|no such file or directory|no builder .* found",
    re.IGNORECASE | re.DOTALL,
)
_UNABLE = re.compile(
    r"not (?:currently )?supported (?:for|by|without)|conflicts with .unpack", re.IGNORECASE
)
_NETWORK = re.compile(
    r"failed to (?:resolve source metadata|do request|authorize)|pull access denied|i/o timeout|"
    r"TLS handshake|failed to push|failed to configure registry cache|unauthorized|"
    r"server misbehaving|unexpected status|no such host|dial tcp|connection refused",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    r"\b40[13] |unauthorized|forbidden|denied|failed to authorize|authorization failed",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"failed to resolve source metadata.*not found", re.IGNORECASE | re.DOTALL)
_LOST = re.compile(r"snapshot \S+ does not exist: not found", re.IGNORECASE)
_WORDS = 3


class StepFailedError(AipipeError):
    """A command of the Dockerfile failed: the answer is no."""

    exit_code = ExitCode.NO


def build_failure(
    words: Sequence[str], facts: Sequence[Fact], *, mask: Callable[[str], str], signal: int = 0
) -> AipipeError:
    """Return the error that a build ended with. ``words`` are what the client said.

    The order matters: a full disk or a dead engine make steps fail too.
    """
    failed = next((fact for fact in facts if fact.error), None)
    text = mask("\n".join([*words, failed.error if failed else ""]))
    said = _last_words(text)
    if _DISK.search(text):
        return SurroundingsError(
            "engine-disk-full",
            f"the engine ran out of disk space: {said}",
            hint="Free room, e.g. with docker builder prune; nothing was recorded.",
        )
    if is_down(text) and failed is None:
        return engine_down(said)
    if failed is not None and "did not complete successfully" in failed.error:
        return StepFailedError(
            "build-step-failed",
            f"{mask(failed.instruction)} failed: {mask(failed.error)}",
            hint="Its last output stands above; nothing was recorded.",
        )
    if _UNABLE.search(text):
        return RequestError(
            "builder-unable",
            f"this builder cannot do that: {said}",
            hint="Switch on the engine's containerd image store, or name another with --builder.",
        )
    if _REQUEST.search(text):
        return RequestError(
            "build-refused", f"the builder refuses this build: {said}", hint="Nothing was recorded."
        )
    if _NETWORK.search(text):
        return SurroundingsError(
            "build-network",
            f"a registry or the network failed: {said}",
            hint=f"{_mend(text)}; nothing was recorded.",
        )
    return _ended(said, text, signal)


def _mend(text: str) -> str:
    """Return what helps against a registry that did not give what was asked for."""
    if _CLOSED.search(text):
        return "The registry refuses: check the name, or docker login"
    if _ABSENT.search(text):
        return "The registry has no such image: check its name and tag"
    return "Try again"


def lost_layer(words: Sequence[str], facts: Sequence[Fact]) -> bool:
    """Tell whether the engine threw away a layer between finding and using it.

    Its garbage collector and a build may race (moby/buildkit#6521); the same build comes
    through a moment later.
    """
    return any(_LOST.search(text) for text in (*words, *(fact.error for fact in facts)))


def _ended(said: str, text: str, signal: int) -> AipipeError:
    if signal or not said or _DIED.search(text):
        return SurroundingsError(
            "engine-died",
            f"the builder ended in the middle of the build: {said or f'signal {signal}'}",
            hint="Look at the engine's log and try again; nothing was recorded.",
        )
    return SurroundingsError(
        "build-failed", f"the build failed: {said}", hint="Nothing was recorded."
    )


def is_down(said: str) -> bool:
    """Tell whether a client says that no engine answers it."""
    return _DOWN.search(said) is not None


def engine_down(said: str) -> SurroundingsError:
    """Return the error for an engine that does not answer."""
    return SurroundingsError(
        "engine-down",
        f"no Docker engine answers: {said}" if said else "no Docker engine answers",
        hint="Start it, or set DOCKER_HOST.",
    )


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip(" -")]
    errors = [line for line in lines if line.startswith("ERROR")]
    shown = (errors or lines[-_WORDS:])[-1:]
    return " ".join(" ".join(shown).removeprefix("ERROR:").split())
