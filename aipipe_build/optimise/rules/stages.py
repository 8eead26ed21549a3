"""A slim run stage: what is only needed to build stays in a stage of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_build.image.packages import installed
from aipipe_build.image.tree import lay
from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.proposal import Effects, Proposal
from aipipe_build.optimise.rules.layers import CLEAN
from aipipe_build.optimise.shell import commands_of, join_lines
from aipipe_build.optimise.situation import is_root, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.image.packages import Package
    from aipipe_build.optimise.situation import Situation, Step

_TOOLS = re.compile(
    r"build-essential|(?:gcc|g\+\+|cpp|clang|llvm)(?:-\d+)?|make|cmake|automake|autoconf|libtool"
    r"|pkg-config|pkgconf|ninja-build|gfortran|cargo|rustc|golang(?:-go)?|swig|bison|flex|patch"
    r"|python3?(?:\.\d+)?-dev|.*-dev"
)
_PREFIX = "/install"
_PIP_INSTALL = re.compile(r"(\bpip[\d.]*\s+(?:-\S+\s+)*install)(?=\s)")
_INSTALLERS = frozenset({"pip", "setuptools", "wheel"})
_MOVED = frozenset({"RUN", "COPY", "ADD", "WORKDIR", "ENV", "ARG", "SHELL", "LABEL"})


@dataclass(frozen=True, slots=True)
class _Shape:
    """The parts of a stage: up to the last pip install, and the rest."""

    apt: Instruction
    pips: tuple[Step, ...]
    between: tuple[Step, ...]
    kept: tuple[str, ...]
    """System packages that are installed and are no build tools."""


def propose(situation: Situation) -> Proposal | None:
    """Install with pip in a stage that has the compilers, and copy the outcome into one without."""
    shape = _shape(situation)
    if shape is None:
        return None
    runtime, gone = _packages(situation, shape)
    if not gone:
        return None
    return Proposal(
        rule="stages",
        title=f"Leave the build tools of line {shape.apt.start} in a stage of their own",
        why=f"{len(gone)} system packages are only there to compile what pip installs",
        line=shape.apt.start,
        text=_text(situation, shape, runtime),
        effects=Effects(packages=frozenset(gone), probe_imports=True),
    )


def _shape(situation: Situation) -> _Shape | None:
    stage = situation.final
    dockerfile = situation.dockerfile
    base = situation.base_of(stage)
    if len(dockerfile.stages) > 1 or situation.image is None or stage.name or not base:
        return None
    steps = steps_of(stage, user=situation.base(base).user)
    tools = [s for s in steps if any(map(_TOOLS.fullmatch, _apt_packages(s.instruction)))]
    if len(tools) != 1 or not _only_apt(tools[0].instruction):
        return None
    # What pip installed before there was a compiler needs none, and pip itself is in both.
    later = steps[steps.index(tools[0]) + 1 :]
    pips = [s for s in later if _is_pip(s.instruction) and not _only_itself(s.instruction)]
    if not pips or any(_into_prefix(step.instruction) is None for step in pips):
        return None
    last = steps.index(pips[-1])
    between = steps[:last]
    if any(not is_root(step.user) for step in steps[: last + 1]):
        return None
    if any(step.instruction.keyword not in _MOVED for step in between):
        return None
    names = _apt_packages(tools[0].instruction)
    kept = tuple(name for name in names if not _TOOLS.fullmatch(name))
    return _Shape(tools[0].instruction, tuple(pips), tuple(between), kept)


def _apt_packages(one: Instruction) -> tuple[str, ...]:
    return tuple(name for c in commands_of(one) or () for name in c.apt_packages)


def _only_apt(one: Instruction) -> bool:
    return all(c.is_apt or c.cleans_lists for c in commands_of(one) or ())


def _is_pip(one: Instruction) -> bool:
    commands = commands_of(one) or ()
    return bool(commands) and all(command.is_pip_install for command in commands)


def _only_itself(one: Instruction) -> bool:
    """Tell whether pip and what it installs with are brought up to date, and nothing else."""
    commands = commands_of(one) or ()
    names = {re.split(r"[\[=<>~!;\s]", t)[0].lower() for c in commands for t in c.pip_targets}
    return bool(names) and names <= _INSTALLERS and not any(c.pip_files for c in commands)


def _packages(situation: Situation, shape: _Shape) -> tuple[tuple[str, ...], set[str]]:
    """Return the libraries that the run stage needs, and the packages that it does without."""
    image = situation.image
    if image is None:
        return (), set()
    packages = {p.name: p for p in installed(image.tree) if p.ecosystem == "Debian"}
    layers = situation.base(situation.base_of(situation.final)).layers
    if layers is None:
        return (), set()
    below = {p.name for p in installed(lay(image.layers[:layers])) if p.ecosystem == "Debian"}
    tools = [n for n in _apt_packages(shape.apt) if _TOOLS.fullmatch(n) and n in packages]
    runtime = sorted(
        {
            need
            for tool in tools
            if tool.endswith("-dev")
            for need in packages[tool].depends
            if need in packages and need not in below and _is_library(packages[need])
        }
    )
    others = [
        name
        for step in steps_of(situation.final)
        if step.instruction is not shape.apt
        for name in _apt_packages(step.instruction)
    ]
    needed = _closure(packages, [*below, *shape.kept, *runtime, *others])
    return tuple(runtime), set(packages) - needed


def _is_library(package: Package) -> bool:
    return package.section in ("libs", "oldlibs") and not package.name.startswith("libc6")


def _closure(packages: Mapping[str, Package], names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    pending = [name for name in names if name in packages]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += [need for need in packages[name].depends if need in packages]
    return found


def _text(situation: Situation, shape: _Shape, runtime: tuple[str, ...]) -> str:
    """Write both stages: above, the file as it was up to pip; below, the rest of it."""
    stage = situation.final
    escape = situation.dockerfile.escape
    draft = Draft(situation.dockerfile)
    start = stage.instruction.source.rstrip()
    draft.replace(stage.instruction, f"{start} AS build")
    for step in shape.pips:
        draft.replace(step.instruction, _into_prefix(step.instruction) or "")
    below = [f"\n{start}"]
    pips = {id(step.instruction) for step in shape.pips}
    for step in shape.between:
        one = step.instruction
        if one is shape.apt:
            below += _runtime_install(shape, runtime, escape)
        elif id(one) not in pips:
            below.append(one.source.rstrip())
    below.append(f"COPY --from=build {_PREFIX} /")
    draft.insert_after(shape.pips[-1].instruction, "\n".join(below))
    return draft.text()


def _runtime_install(shape: _Shape, runtime: tuple[str, ...], escape: str) -> list[str]:
    names = sorted({*shape.kept, *runtime})
    if not names:
        return []
    commands = commands_of(shape.apt) or ()
    install = next(c for c in commands if c.apt_verb == "install")
    options = [word for word in install.words[1:] if word.startswith("-")]
    lines = ["apt-get update", " ".join(["apt-get", "install", *options, *names]), CLEAN]
    return [join_lines(lines).replace("\\\n", f"{escape}\n")]


def _into_prefix(one: Instruction) -> str | None:
    """Let pip put everything below a folder, at the places where it would have gone.

    None where the text does not show each of its installs.
    """
    text, count = _PIP_INSTALL.subn(rf"\1 --root={_PREFIX}", one.source)
    return text if count == len(commands_of(one) or ()) else None
