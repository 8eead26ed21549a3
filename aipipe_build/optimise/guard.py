"""What a rewrite that a model wrote may do, told before anything of it is started.

The model has read files that anybody may have written. Its text is built only where it starts
no program, names no address, image, secret or package that the original does not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.parse import parse_dockerfile
from aipipe_build.optimise.shell import commands_of

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Dockerfile

_URL = re.compile(r"\b(?:https?|ftp|git|ssh)://[^\s'\"\\]+|git@[^\s'\"]+")
_TIDY = frozenset({"rm", "mkdir", "cd", "cp", "mv", "ln", "true", "apt-get", "pip"})
_OPTIONS = frozenset(
    {"-y", "-q", "-qq", "--yes", "-r", "--no-cache-dir", "--no-install-recommends", "--no-compile"}
)
"""Options of pip and apt that make neither run anything: ``apt-get -o`` can."""
_MOUNTS = re.compile(r"type=(cache|bind|tmpfs)\b")
_FIXED = frozenset({"CMD", "ENTRYPOINT", "USER", "EXPOSE", "HEALTHCHECK", "VOLUME", "ENV", "ARG"})


def objection(before: str, after: str) -> str:
    """Return why ``after`` may not be built, "" when it may."""
    try:
        old, new = parse_dockerfile(before), parse_dockerfile(after)
    except DockerfileError as error:
        return f"it is no Dockerfile: {error}"
    checks = (
        ("the frontend", {old.syntax}, {new.syntax}),
        ("the base image", _bases(old), _bases(new)),
        ("the address", set(_URL.findall(before)), set(_URL.findall(after))),
        ("the source", _remote(old), _remote(new)),
        ("the program", _programs(old) | _TIDY, _programs(new)),
        ("the package or option", _packages(old) | _OPTIONS, _packages(new)),
        ("the mount or right", _rights(old), _rights(new)),
        ("the variable or setting", _settings(old), _settings(new)),
    )
    for what, known, wanted in checks:
        strange = sorted(wanted - known)
        if strange:
            return f"{what} {strange[0]!r} is not the original's"
    return ""


def _bases(dockerfile: Dockerfile) -> set[str]:
    names = {stage.name for stage in dockerfile.stages if stage.name}
    return {stage.base for stage in dockerfile.stages} - names


def _remote(dockerfile: Dockerfile) -> set[str]:
    """Return what COPY and ADD read that is no file of the context and no stage."""
    stages = {stage.name for stage in dockerfile.stages}
    numbers = {str(index) for index in range(len(dockerfile.stages))}
    found: set[str] = set()
    for one in dockerfile.instructions:
        if one.keyword in ("COPY", "ADD"):
            source = one.flag("from")
            if source is not None and source.lower() not in stages | numbers:
                found.add(source)
            found |= {word for word in one.args[:-1] if one.keyword == "ADD"}
            found |= {doc.content for doc in one.heredocs}
    return found


def _programs(dockerfile: Dockerfile) -> set[str]:
    """Return the programs that RUNs start; a RUN that is not understood counts as a whole."""
    found: set[str] = set()
    for one in dockerfile.instructions:
        if one.keyword not in ("RUN", "ONBUILD", "SHELL"):
            continue
        commands = commands_of(one)
        if commands is None:
            found.add(" ".join(one.rest.split()) + "".join(doc.content for doc in one.heredocs))
            continue
        for command in commands:
            plain = command.is_apt or command.is_pip_install
            tidy = command.words[0] in _TIDY and command.words[0] not in ("pip", "apt-get")
            found.add(command.words[0] if plain or tidy else " ".join(command.words))
    return found


def _packages(dockerfile: Dockerfile) -> set[str]:
    found: set[str] = set()
    for one in dockerfile.instructions:
        for command in commands_of(one) or ():
            found |= set(command.apt_packages)
            if command.is_pip_install:
                found |= {*command.pip_targets, *command.pip_files}
            if command.is_pip_install or command.is_apt:
                found |= {word for word in command.words if word.startswith("-")}
    return found


def _rights(dockerfile: Dockerfile) -> set[str]:
    """Return mounts of secrets and other flags of RUN that give it more than a layer has."""
    return {
        flag
        for one in dockerfile.instructions
        if one.keyword == "RUN"
        for flag in one.flags
        if not (flag.startswith("--mount=") and _MOUNTS.search(flag) and ",from=" not in flag)
    }


def _settings(dockerfile: Dockerfile) -> set[str]:
    return {
        f"{one.keyword} {' '.join(one.args)}"
        for one in dockerfile.instructions
        if one.keyword in _FIXED
    }
