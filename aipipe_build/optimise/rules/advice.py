"""What somebody should look at, and no build can prove."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_build.optimise.proposal import Proposal
from aipipe_build.optimise.shell import commands_of
from aipipe_build.secrets import SECRET_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.optimise.situation import Situation

_SECRET_FILES = re.compile(r"(?:^|/)(?:\.env(?:\.\w+)?|id_(?:rsa|ed25519|ecdsa)|[^/]+\.(?:pem|key)"
                           r"|\.netrc|\.pypirc|credentials)$")  # fmt: skip


def advise(situation: Situation) -> list[Proposal]:
    """Return everything that is worth a word."""
    found = [*_of_files(situation), *_of_bases(situation)]
    for stage in situation.dockerfile.stages:
        for one in stage.commands:
            found += _of_instruction(one)
    return found


def _of_files(situation: Situation) -> Iterator[Proposal]:
    for path in sorted(situation.files):
        if _SECRET_FILES.search(path) and not path.endswith((".example", ".pub")):
            yield Proposal(
                "secret-files",
                f"{path} is sent to the builder",
                "it looks like a secret: whoever has the image may have it too; "
                "list it in .dockerignore, or mount it with --secret",
            )


def _of_bases(situation: Situation) -> Iterator[Proposal]:
    names = {stage.name for stage in situation.dockerfile.stages}
    for stage in situation.dockerfile.stages:
        base = stage.base
        if "$" in base or "@" in base or base.lower() in (*names, "scratch"):
            continue
        tag = base.rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            yield Proposal(
                "base-tag", f"{base} names no version",
                "the next build may stand on another major version; name one",
                stage.instruction.start,
            )  # fmt: skip


def _of_instruction(one: Instruction) -> Iterator[Proposal]:
    if one.keyword in ("ENV", "ARG"):
        names = one.args[::2] if one.keyword == "ENV" else [a.partition("=")[0] for a in one.args]
        for name in names:
            if SECRET_NAME.search(name):
                yield Proposal(
                    "secret-variable", f"{one.keyword} {name} looks like a secret",
                    "its value can be read from the image; use RUN --mount=type=secret", one.start,
                )  # fmt: skip
    for command in commands_of(one) or ():
        if command.apt_verb == "install" and "--no-install-recommends" not in command.words:
            yield Proposal(
                "recommends", "apt installs recommended packages too",
                "--no-install-recommends leaves them out; whether one of them is needed "
                "only you can tell", one.start,
            )  # fmt: skip
        if command.apt_verb in ("upgrade", "dist-upgrade"):
            yield Proposal(
                "upgrade", "apt upgrades the base image's packages in a layer above it",
                "every upgraded file is carried twice; build on a newer base", one.start,
            )  # fmt: skip
