"""A slim run stage: what is only needed to build stays in a stage of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_build.image.tree import lay
from aipipe_build.optimise.proposal import Effects, Proposal
from aipipe_build.optimise.rules.needs import asked_for, closure, debian_packages_of, linked
from aipipe_build.optimise.rules.split import Split, apt_packages, pip_steps, split_text
from aipipe_build.optimise.shell import commands_of
from aipipe_build.optimise.situation import steps_of

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.image.packages import Package
    from aipipe_build.optimise.situation import Situation

_TOOLS = re.compile(
    r"build-essential|(?:gcc|g\+\+|cpp|clang|llvm)(?:-\d+)?|make|cmake|automake|autoconf|libtool"
    r"|pkg-config|pkgconf|ninja-build|gfortran|cargo|rustc|golang(?:-go)?|swig|bison|flex|patch"
    r"|python3?(?:\.\d+)?-dev|.*-dev"
)


def propose(situation: Situation) -> Proposal | None:
    """Install with pip in a stage that has the compilers, and copy the outcome into one without."""
    split = _split(situation)
    if split is None:
        return None
    runtime, gone = _packages(situation, split)
    if not gone:
        return None
    lines = ", ".join(str(one.start) for one in split.apts)
    return Proposal(
        rule="stages",
        title=f"Leave the build tools of line {lines} in a stage of their own",
        why=f"{len(gone)} system packages are only there to compile what pip installs",
        line=split.apts[0].start,
        text=split_text(situation, split, situation.final.base, runtime, is_tool),
        effects=Effects(packages=frozenset(gone), probe_imports=True),
    )


def is_tool(name: str) -> bool:
    """Tell whether a system package is there to compile with."""
    return _TOOLS.fullmatch(name) is not None


def _split(situation: Situation) -> Split | None:
    stage = situation.final
    if len(situation.dockerfile.stages) > 1 or situation.image is None or stage.name:
        return None
    base = situation.base_of(stage)
    steps = steps_of(stage, user=situation.base(base).user)
    tools = [s for s in steps if any(map(is_tool, apt_packages(s.instruction)))]
    if not base or not tools or not all(_only_installs(s.instruction) for s in tools):
        return None
    # What pip installed before there was a compiler needs none.
    found = pip_steps(steps, since=steps.index(tools[0]))
    if found is None:
        return None
    pips, above = found
    early = [s.instruction for s in tools if s in above]
    return Split(tuple(early), pips, above) if early else None


def _only_installs(one: Instruction) -> bool:
    return all(
        c.is_apt or c.cleans_lists or c.is_pip_install or c.cleans_caches
        for c in commands_of(one) or ()
    )


def _packages(situation: Situation, split: Split) -> tuple[tuple[str, ...], set[str]]:
    """Return the libraries that the run stage needs, and the packages that it does without."""
    image = situation.image
    layers = situation.base(situation.base_of(situation.final)).layers
    if image is None or layers is None:
        return (), set()
    packages = debian_packages_of(image.tree)
    base = lay(image.layers[:layers])
    below = set(debian_packages_of(base))
    asked = {name for one in split.apts for name in apt_packages(one)}
    tools = [name for name in asked if is_tool(name) and name in packages]
    behind = {
        need
        for tool in tools
        if tool.endswith("-dev")
        for need in packages[tool].depends
        if need in packages and _is_library(packages[need])
    }
    runtime = (behind | {n for n in linked(image, base) if not is_tool(n)}) - below
    others = {name for name in asked_for(situation.final) if not (name in asked and is_tool(name))}
    needed = closure(packages, below | runtime | others)
    return tuple(sorted(runtime - closure(packages, others - runtime))), set(packages) - needed


def _is_library(package: Package) -> bool:
    return package.section in ("libs", "oldlibs") and not package.name.startswith("libc6")
