"""From text to :class:`~aipipe_build.dockerfile.model.Dockerfile`, as BuildKit's parser does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_build.dockerfile.check import check_instruction
from aipipe_build.dockerfile.directives import detect_syntax
from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.heredoc import heredocs_in
from aipipe_build.dockerfile.lines import LineReader, LogicalLine
from aipipe_build.dockerfile.model import Dockerfile, Heredoc, Instruction, Stage
from aipipe_build.dockerfile.text import SPACES, split_fields
from aipipe_build.dockerfile.words import (
    parse_json,
    parse_pairs,
    parse_words,
    split_instruction,
)
from aipipe_build.light import replace

if TYPE_CHECKING:
    from pathlib import Path

_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
_STAGE_WORDS = 3  # FROM base AS name
_TAKES_HEREDOC = frozenset({"RUN", "COPY", "ADD"})
_MAYBE_JSON = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL"})
_JSON_LIST = frozenset({"COPY", "ADD", "VOLUME"})
_FIELDS = frozenset({"FROM", "EXPOSE"})
_PAIRS = frozenset({"ENV", "LABEL"})


def read_dockerfile(path: Path) -> Dockerfile:
    """Parse the file at ``path``. Raises :class:`DockerfileError`, ``OSError``."""
    # Bytes that are no UTF-8 survive the round trip.
    text = path.read_bytes().decode("utf-8", errors="surrogateescape")
    return parse_dockerfile(text, file=path.name)


def parse_dockerfile(text: str, *, file: str = "Dockerfile") -> Dockerfile:
    """Parse ``text``. Raises :class:`DockerfileError` where BuildKit would refuse it."""
    reader = LineReader(text)
    instructions: list[Instruction] = []
    try:
        while line := reader.next():
            instructions.append(_instruction(line, reader))
        meta_args, stages = _stages(instructions)
    except DockerfileError as error:
        raise DockerfileError(error.what, line=error.line, hint=error.hint, file=file) from error
    return Dockerfile(
        instructions=tuple(instructions),
        meta_args=meta_args,
        stages=stages,
        escape=reader.escape,
        syntax=detect_syntax(reader.text),
        bom=reader.bom,
        trailing=reader.trailing(),
    )


def parse_trigger(expression: str, *, line: int = 0) -> Instruction:
    """Parse the one instruction that an ONBUILD holds; ``line`` is the trigger's own."""
    reader = LineReader(expression)
    found = reader.next()
    if not found:
        raise DockerfileError("an ONBUILD trigger should be a single expression", line=line)
    instruction = _instruction(found, reader)
    if reader.next():
        raise DockerfileError("an ONBUILD trigger should be a single expression", line=line)
    return replace(instruction, start=line, end=line)


def trigger_expression(instruction: Instruction) -> str:
    """Return what an ONBUILD instruction hands to its children."""
    text = re.sub(r"^\s*ONBUILD\s*", "", instruction.original, flags=re.IGNORECASE)
    return text + "".join(f"\n{doc.content}{doc.name}" for doc in instruction.heredocs)


def _instruction(line: LogicalLine, reader: LineReader) -> Instruction:
    try:
        keyword, flags, rest = split_instruction(line.text)
        keyword = keyword.upper()
        args, is_json = _arguments(keyword, rest, reader.escape)
    except DockerfileError as error:
        raise DockerfileError(error.what, line=line.start, hint=error.hint) from error
    heredocs: tuple[Heredoc, ...] = ()
    if _can_hold_heredoc(keyword, rest, is_json=is_json, escape=reader.escape):
        heredocs = tuple(
            replace(doc, content=reader.heredoc(doc.name, chomp=doc.chomp, start=line.start))
            for doc in heredocs_in(line.text)
        )
    source, end = reader.take_source(line)
    instruction = Instruction(
        keyword=keyword,
        original=line.text,
        flags=flags,
        rest=rest,
        args=tuple(args),
        json=is_json,
        start=line.start,
        end=end,
        heredocs=heredocs,
        source=source,
        leading=line.leading,
    )
    check_instruction(instruction)
    return instruction


def _arguments(keyword: str, rest: str, escape: str) -> tuple[list[str], bool]:
    """Split ``rest`` as the keyword asks for: the arguments, and whether they were JSON."""
    if keyword in _PAIRS:
        return parse_pairs(rest, keyword, escape), False
    if keyword == "ARG":
        return parse_words(rest, escape), False
    if not rest:
        return [], False
    if keyword in _FIELDS:
        return split_fields(rest), False
    if keyword in _MAYBE_JSON or keyword in _JSON_LIST:
        array = parse_json(rest)
        if array is not None:
            return array, True
        return (split_fields(rest) if keyword in _JSON_LIST else [rest]), False
    if keyword == "HEALTHCHECK":
        return _health_arguments(rest)
    if keyword == "ONBUILD":
        inner, _, inner_rest = split_instruction(rest)
        return [inner, *_arguments(inner.upper(), inner_rest, escape)[0]], False
    return [rest], False


def _health_arguments(rest: str) -> tuple[list[str], bool]:
    kind = re.split(f"[{SPACES}]", rest, maxsplit=1)[0]
    command = rest[len(kind) :].strip(SPACES)
    if not command:
        return [kind], False
    array = parse_json(command)
    return [kind, *(array if array is not None else [command])], array is not None


def _can_hold_heredoc(keyword: str, rest: str, *, is_json: bool, escape: str) -> bool:
    if keyword == "ONBUILD" and rest:
        inner, _, inner_rest = split_instruction(rest)
        inner = inner.upper()
        _, is_json = _arguments(inner, inner_rest, escape)
        keyword = inner
    return keyword in _TAKES_HEREDOC and not is_json


def _stages(instructions: list[Instruction]) -> tuple[tuple[Instruction, ...], tuple[Stage, ...]]:
    if not instructions:
        raise DockerfileError("the file has no instructions")
    meta_args: list[Instruction] = []
    stages: list[Stage] = []
    for instruction in instructions:
        if instruction.keyword == "FROM":
            stages.append(_stage(instruction))
        elif stages:
            last = stages[-1]
            stages[-1] = replace(last, commands=(*last.commands, instruction))
        elif instruction.keyword == "ARG":
            meta_args.append(instruction)
        else:
            raise DockerfileError(
                f"{instruction.keyword} stands before any build stage",
                line=instruction.start,
                hint="Begin the file with FROM.",
            )
    return tuple(meta_args), tuple(stages)


def _stage(instruction: Instruction) -> Stage:
    args = instruction.args
    name = ""
    if len(args) == _STAGE_WORDS and args[1].lower() == "as":
        name = args[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            raise DockerfileError(
                f"invalid name for build stage: {args[2]!r}",
                line=instruction.start,
                hint="A name begins with a letter and holds letters, digits and - _ . only.",
            )
    elif len(args) != 1:
        raise DockerfileError("FROM requires either one or three arguments", line=instruction.start)
    return Stage(
        base=args[0],
        name=name,
        platform=instruction.flag("platform") or "",
        instruction=instruction,
    )
