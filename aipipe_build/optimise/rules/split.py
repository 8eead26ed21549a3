"""One stage taken apart: above, what installs with pip; below, what runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.rules.layers import CLEAN
from aipipe_build.optimise.shell import commands_of, join_lines
from aipipe_build.optimise.situation import is_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.optimise.shell import ShellCommand
    from aipipe_build.optimise.situation import Situation, Step

_PREFIX = "/install"
_PIP_INSTALL = re.compile(r"(\bpip[\d.]*\s+(?:-\S+\s+)*install)(?=\s)")
_INSTALLERS = frozenset({"pip", "setuptools", "wheel"})
_MOVED = frozenset({"RUN", "COPY", "ADD", "WORKDIR", "ENV", "ARG", "SHELL", "LABEL"})


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of a stage. ``apts`` are the steps whose build tools stay behind.

    ``above`` is everything up to the last step of pip.
    """

    apts: tuple[Instruction, ...]
    pips: tuple[Step, ...]
    above: tuple[Step, ...]


def pip_steps(
    steps: list[Step], *, since: int = 0
) -> tuple[tuple[Step, ...], tuple[Step, ...]] | None:
    """Return the steps of pip from ``since`` on, and all steps up to the last of them.

    None where there is none, or where one of them cannot be told apart from the rest. Pip itself
    is brought up to date in both stages.
    """
    pips = [s for s in steps[since:] if _has_pip(s.instruction) and not _only_itself(s.instruction)]
    if not pips or any(into_prefix(step.instruction) is None for step in pips):
        return None
    above = steps[: steps.index(pips[-1]) + 1]
    if any(not is_root(step.user) for step in above):
        return None
    if any(step.instruction.keyword not in _MOVED for step in above):
        return None
    return tuple(pips), tuple(above)


def apt_packages(one: Instruction) -> tuple[str, ...]:
    """Return the system packages that a RUN installs."""
    return tuple(name for c in commands_of(one) or () for name in c.apt_packages)


def split_text(
    situation: Situation,
    split: Split,
    base: str,
    runtime: tuple[str, ...],
    is_tool: Callable[[str], bool],
) -> str:
    """Write both stages: above, the file as it was up to pip; below, on ``base``, the rest."""
    stage = situation.final
    draft = Draft(situation.dockerfile)
    start = stage.instruction.source.rstrip()
    draft.replace(stage.instruction, f"{start} AS build")
    for step in split.pips:
        draft.replace(step.instruction, into_prefix(step.instruction) or "")
    below = [f"\n{on_base(start, stage.base, base)}"]
    escape = situation.dockerfile.escape
    if runtime and not split.apts:
        below.append(install_step(runtime, escape=escape))
    pips = {id(step.instruction) for step in split.pips}
    wanted = runtime
    for step in split.above:
        one = step.instruction
        if any(one is apt for apt in split.apts):
            kept = [name for name in apt_packages(one) if not is_tool(name)]
            if names := sorted({*kept, *wanted}):
                below.append(install_step(names, _options(one), escape=escape))
            wanted = ()
            if id(one) not in pips:
                continue
        if id(one) not in pips:
            below.append(one.source.rstrip())
        elif itself := [c.text for c in commands_of(one) or () if _is_itself(c)]:
            below.append(join_lines(itself).replace("\\\n", f"{escape}\n"))
    below.append(f"COPY --from=build {_PREFIX} /")
    draft.insert_after(split.pips[-1].instruction, "\n".join(below))
    return draft.text()


def on_base(source: str, old: str, new: str) -> str:
    """Return a FROM with another image."""
    return re.sub(rf"(?<=\s){re.escape(old)}(?=\s|$)", lambda _: new, source, count=1)


def install_step(
    names: tuple[str, ...] | list[str], options: tuple[str, ...] = (), *, escape: str
) -> str:
    """Return a RUN that installs system packages and leaves nothing else behind."""
    given = options or ("-y", "--no-install-recommends")
    lines = ["apt-get update", " ".join(["apt-get", "install", *given, *names]), CLEAN]
    return join_lines(lines).replace("\\\n", f"{escape}\n")


def _options(one: Instruction) -> tuple[str, ...]:
    install = next(c for c in commands_of(one) or () if c.apt_packages)
    return tuple(word for word in install.words[1:] if word.startswith("-"))


def _has_pip(one: Instruction) -> bool:
    """Tell whether a RUN installs with pip, and does nothing besides but what goes with that."""
    commands = commands_of(one) or ()
    return any(c.is_pip_install for c in commands) and all(
        c.is_pip_install or c.is_apt or c.cleans_lists or c.cleans_caches for c in commands
    )


def _only_itself(one: Instruction) -> bool:
    """Tell whether all that pip installs in a RUN is itself."""
    return all(map(_is_itself, (c for c in commands_of(one) or () if c.is_pip_install)))


def _is_itself(command: ShellCommand) -> bool:
    """Tell whether pip and what it installs with are brought up to date, and nothing else."""
    names = {re.split(r"[\[=<>~!;\s]", target)[0].lower() for target in command.pip_targets}
    return bool(names) and names <= _INSTALLERS and not command.pip_files


def into_prefix(one: Instruction) -> str | None:
    """Let pip put everything below a folder, at the places where it would have gone.

    Pip's own update stays where it was. None where the text does not show each of its installs.
    """
    pips = [command for command in commands_of(one) or () if command.is_pip_install]
    if len(_PIP_INSTALL.findall(one.source)) != len(pips):
        return None
    rest = iter(pips)
    return _PIP_INSTALL.sub(
        lambda found: found[0] if _is_itself(next(rest)) else f"{found[1]} --root={_PREFIX}",
        one.source,
    )
