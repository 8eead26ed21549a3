"""What an instruction must satisfy before anything is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.heredoc import parse_heredoc

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Instruction

# Each instruction's flags and their kind. The union over BuildKit's versions: a builder that
# lacks one refuses the file, and then there is nothing to predict.
_FLAGS: dict[str, dict[str, str]] = {
    "ADD": {
        "chown": "one",
        "chmod": "one",
        "link": "bool",
        "keep-git-dir": "bool",
        "checksum": "one",
        "unpack": "bool",
        "exclude": "many",
    },
    "COPY": {
        "from": "one",
        "chown": "one",
        "chmod": "one",
        "link": "bool",
        "parents": "bool",
        "exclude": "many",
    },
    "RUN": {"mount": "many", "network": "one", "security": "one", "device": "many"},
    "FROM": {"platform": "one"},
    "HEALTHCHECK": {
        "interval": "one",
        "timeout": "one",
        "start-period": "one",
        "start-interval": "one",
        "retries": "one",
    },
}
_AT_LEAST = {
    "ENV": 1,
    "LABEL": 1,
    "ARG": 1,
    "EXPOSE": 1,
    "VOLUME": 1,
    "ONBUILD": 1,
    "SHELL": 1,
    "HEALTHCHECK": 1,
    "COPY": 2,
    "ADD": 2,
}
_EXACTLY_ONE = frozenset({"MAINTAINER", "WORKDIR", "USER", "STOPSIGNAL"})
KEYWORDS = frozenset(
    {*_AT_LEAST, *_EXACTLY_ONE, "FROM", "RUN", "CMD", "ENTRYPOINT"},
)


def check_instruction(instruction: Instruction) -> None:
    """Raise :class:`DockerfileError` for what BuildKit refuses in this one instruction."""
    keyword = instruction.keyword
    if keyword not in KEYWORDS:
        import difflib

        near = difflib.get_close_matches(keyword, KEYWORDS, n=1)
        raise DockerfileError(
            f"unknown instruction: {keyword}",
            line=instruction.start,
            hint=f"Did you mean {near[0]}?" if near else "",
        )
    _check_count(instruction)
    if keyword != "ONBUILD" and not (keyword == "HEALTHCHECK" and _is_none(instruction)):
        _check_flags(instruction)
    if keyword in ("ENV", "LABEL", "ARG"):
        _check_names(instruction)
    if keyword in ("COPY", "ADD") and not instruction.json and parse_heredoc(instruction.args[-1]):
        raise DockerfileError(
            f"{keyword} cannot accept a heredoc as a destination", line=instruction.start
        )
    if keyword == "ONBUILD":
        _check_trigger(instruction)
    if keyword == "SHELL" and not instruction.json:
        raise DockerfileError(
            "SHELL requires its arguments in JSON form",
            line=instruction.start,
            hint='Write it as SHELL ["executable", "parameter"].',
        )


def _check_count(instruction: Instruction) -> None:
    keyword, count = instruction.keyword, len(instruction.args)
    least = _AT_LEAST.get(keyword, 0)
    if keyword in _EXACTLY_ONE and count != 1:
        raise DockerfileError(f"{keyword} requires exactly one argument", line=instruction.start)
    if count < least:
        words = "two arguments" if least > 1 else "one argument"
        raise DockerfileError(f"{keyword} requires at least {words}", line=instruction.start)


def _check_flags(instruction: Instruction) -> None:
    known = _FLAGS.get(instruction.keyword, {})
    used: set[str] = set()
    for flag in instruction.flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        kind = known.get(name)
        problem = ""
        if kind is None:
            problem = f"unknown flag: --{name}"
        elif name in used and kind != "many":
            problem = f"duplicate flag specified: --{name}"
        elif kind == "bool":
            if (equals and not value) or value.lower() not in ("", "true", "false"):
                problem = f"expecting a boolean value for flag --{name}"
        elif not equals:
            problem = f"missing a value on flag: --{name}"
        if problem:
            raise DockerfileError(f"{instruction.keyword}: {problem}", line=instruction.start)
        used.add(name)


def _check_names(instruction: Instruction) -> None:
    if instruction.keyword == "ARG":
        blank = any(arg.startswith("=") for arg in instruction.args)
    else:
        blank = any(not name for name in instruction.args[::2])
    if blank:
        raise DockerfileError(
            f"{instruction.keyword} names can not be blank", line=instruction.start
        )


def _check_trigger(instruction: Instruction) -> None:
    trigger = instruction.args[0].strip().upper()
    if trigger in ("ONBUILD", "FROM", "MAINTAINER"):
        raise DockerfileError(
            f"{trigger} isn't allowed as an ONBUILD trigger", line=instruction.start
        )


def _is_none(instruction: Instruction) -> bool:
    return instruction.args[0].upper() == "NONE"
