"""Commands as values: what is started, and with which environment. Nothing is run here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aipipe_build.options import BUILD_OPTIONS, PASSED_VALUES, SWITCHES
from aipipe_build.secrets import SECRET_NAME

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

# What the client itself reads: an argument of that name must not be set in its environment.
_CLIENTS_OWN = ("DOCKER_", "BUILDX_", "BUILDKIT_", "COMPOSE_", "SSH_", "AWS_")
_OURS = frozenset({"--progress", "--iidfile", "--metadata-file", "--quiet", "--debug"})


@dataclass(frozen=True, slots=True)
class Command:
    """An argv, and the variables that are added to the environment it is started with."""

    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reproducible:
    """Equal bytes for equal inputs: every time stamp becomes ``epoch``, seconds since 1970.

    ``archive`` is where the image is put for the engine to load: its own exporter cannot
    rewrite times. None lets the builder push directly.
    """

    epoch: int
    archive: Path | None = None


def build_command(
    options: argparse.Namespace,
    *,
    builder: str,
    context: Path,
    dockerfile: Path,
    metadata: Path,
    reproducible: Reproducible | None = None,
) -> Command:
    """Return ``docker buildx build`` for the options that were given to us.

    Build arguments whose names say that they are secret are handed over in the environment:
    an argv can be read by everyone on the machine.
    """
    words = ["docker", "buildx", "build", "--progress=rawjson", f"--metadata-file={metadata}"]
    words += [f"--builder={builder}", f"--file={dockerfile}"]
    environ: dict[str, str] = {}
    for name, value in _given(options):
        if name == "--build-arg" and _is_hidden(value):
            key, _, secret = value.partition("=")
            environ[key] = secret
            words.append(f"--build-arg={key}")
        else:
            words.append(f"{name}={value}")
    if reproducible is not None:
        environ["SOURCE_DATE_EPOCH"] = str(reproducible.epoch)
        words = _rewriting(words, reproducible)
    return Command((*words, str(context)), environ)


def _given(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Return what was given of docker's own options, in a fixed order."""
    pairs: list[tuple[str, str]] = []
    for name in (*BUILD_OPTIONS, *PASSED_VALUES, *SWITCHES):
        if name in _OURS:
            continue
        value = getattr(options, name.removeprefix("--").replace("-", "_"))
        if isinstance(value, list):
            pairs += [(name, one) for one in value]
        elif value is True:
            pairs.append((name, "true"))
        elif value:
            pairs.append((name, str(value)))
    return pairs


def _is_hidden(argument: str) -> bool:
    name, equals, _ = argument.partition("=")
    safe = name.isidentifier() and not name.startswith(_CLIENTS_OWN)
    return bool(equals) and safe and bool(SECRET_NAME.search(name))


def _rewriting(words: list[str], how: Reproducible) -> list[str]:
    kept = [word for word in words if not word.startswith(("--push=", "--load=", "--output="))]
    if not any(word.startswith("--provenance=") for word in words):
        kept.append("--provenance=false")  # it holds the hour of the build
    if how.archive is None:
        return [*kept, "--output=type=registry,rewrite-timestamp=true"]
    return [*kept, f"--output=type=docker,rewrite-timestamp=true,dest={how.archive}"]


def load_command(archive: Path) -> Command:
    """Return the command that gives the engine an image from an archive."""
    return Command(("docker", "load", "--quiet", f"--input={archive}"))


def tag_command(image: str, tag: str) -> Command:
    """Return the command that gives an image that is there another name."""
    return Command(("docker", "tag", image, tag))


def push_command(tag: str) -> Command:
    """Return the command that pushes an image that is there."""
    return Command(("docker", "push", "--quiet", tag))


def version_command() -> Command:
    """Return the command that asks for buildx's version."""
    return Command(("docker", "buildx", "version"))


def bake_command(file: Path, targets: tuple[str, ...]) -> Command:
    """Return the command that reads a bake or compose file; it needs no engine."""
    return Command(("docker", "buildx", "bake", f"--file={file}", "--print", *targets))
