"""Layers of apt: one step from update to clean, so that no layer keeps what a later one removes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.parse import parse_trigger
from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.proposal import Proposal
from aipipe_build.optimise.shell import commands_of, join_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.optimise.shell import ShellCommand
    from aipipe_build.optimise.situation import Situation

CLEAN = "rm -rf /var/lib/apt/lists/*"


def propose(situation: Situation) -> Proposal | None:
    """Join neighbouring steps of apt, and let each end with its lists removed."""
    draft = Draft(situation.dockerfile)
    lines: list[int] = []
    for run in _runs(situation):
        commands = [command for one in run for command in commands_of(one) or ()]
        source = _source(run, commands, situation.dockerfile.escape)
        if source is None:
            continue
        draft.replace(run[0], source)
        for one in run[1:]:
            draft.remove(one, keep_comment=True)
        lines.append(run[0].start)
    if not lines:
        return None
    return Proposal(
        rule="layers",
        title=f"Install with apt in one layer that is left clean (line {_listed(lines)})",
        why="apt's lists stay in the layer that fetched them, also when a later one removes them; "
        "and an update that is cached alone installs from lists that are old",
        line=lines[0],
        text=draft.text(),
    )


def _runs(situation: Situation) -> Iterator[list[Instruction]]:
    """Yield the neighbouring RUNs that do nothing but apt, and single ones that use it."""
    for stage in situation.dockerfile.stages:
        group: list[Instruction] = []
        for one in stage.commands:
            commands = commands_of(one)
            if commands and not one.flags and all(c.is_apt or c.cleans_lists for c in commands):
                group.append(one)
                continue
            if group:
                yield group
            group = []
            if commands and any(command.apt_verb == "install" for command in commands):
                yield [one]
        if group:
            yield group


def _source(run: list[Instruction], commands: list[ShellCommand], escape: str) -> str | None:
    """Return the RUN's new text, None where it is good as it is."""
    if not any(command.apt_verb in ("install", "update") for command in commands):
        return None
    first = run[0]
    if any("/var/lib/apt" in mount for mount in first.flag_values("mount")):
        return None
    if len(run) == 1:
        last_apt = max(at for at, command in enumerate(commands) if command.is_apt)
        if any(command.cleans_lists for command in commands[last_apt:]):
            return None
        return _appended(first, commands, escape)
    kept = [command.text for command in commands if not command.cleans_lists]
    # A list fetched twice is fetched once.
    updates = [at for at, command in enumerate(kept) if command.split()[1:2] == ["update"]]
    kept = [text for at, text in enumerate(kept) if at not in updates[1:]]
    return join_lines([*kept, CLEAN]).replace("\\\n", f"{escape}\n")


def _appended(one: Instruction, commands: list[ShellCommand], escape: str) -> str | None:
    source = f"{one.source.rstrip()} {escape}\n    && {CLEAN}\n"
    try:
        after = commands_of(parse_trigger(source))
    except DockerfileError:
        return None
    wanted = [*(command.words for command in commands), tuple(CLEAN.split())]
    return source if after and [command.words for command in after] == wanted else None


def _listed(lines: list[int]) -> str:
    return ", ".join(map(str, lines))
