"""The slim base image: what the full one has for building stays in a stage of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.proposal import Effects, Proposal, Swap
from aipipe_build.optimise.rules.needs import (
    asked_for,
    called,
    closure,
    debian_packages_of,
    imported,
    linked,
)
from aipipe_build.optimise.rules.split import (
    Split,
    install_step,
    on_base,
    pip_steps,
    split_text,
)
from aipipe_build.optimise.situation import is_root, steps_of

if TYPE_CHECKING:
    from aipipe_build.image.archive import Image
    from aipipe_build.optimise.situation import Situation

_COMPILER = "gcc"
_SMALL = re.compile(r"slim|alpine|distroless|windows|nanoserver")
_TK = frozenset({"tkinter", "_tkinter", "turtle", "turtledemo", "idlelib"})
"""What of Python's own library the slim images lack."""


def propose(situation: Situation) -> Proposal | None:
    """Run on the slim variant of a base image that has compilers, and build on the full one."""
    stage = situation.final
    name = slim_name(stage.base)
    if not name or stage.base != situation.base_of(stage) or situation.image is None:
        return None
    full = situation.bare(stage.base)
    if full is None or _COMPILER not in (had := debian_packages_of(full.tree)):
        return None
    slim = situation.bare(name)
    if slim is None or _wants_tk(situation):
        return None
    runtime = _runtime(situation, situation.image, full, slim)
    packages = debian_packages_of(situation.image.tree)
    below = set(debian_packages_of(slim.tree))
    gone = set(packages) - closure(packages, below | set(runtime) | asked_for(stage))
    return Proposal(
        rule="slim",
        title=f"Run on {name}",
        why=f"{len(gone & set(had))} system packages of {stage.base} are there to build with",
        line=stage.instruction.start,
        text=_text(situation, name, runtime),
        effects=Effects(
            packages=frozenset(gone),
            probe_imports=True,
            swap=Swap(full.tree.entries, slim.tree.entries),
        ),
    )


def slim_name(reference: str) -> str:
    """Return the name that a base image's slim variant has by custom, "" where it has none.

    ``3.12`` has ``3.12-slim``, ``3.12-bookworm`` has ``3.12-slim-bookworm``, none has ``slim``.
    """
    if "@" in reference or "$" in reference:
        return ""
    at = reference.rfind(":")
    name, tag = (reference[:at], reference[at + 1 :]) if "/" not in reference[at:] else ("", "")
    if at < 0 or not name:
        name, tag = reference, ""
    if _SMALL.search(tag) or not name or name == "scratch":
        return ""
    if tag in ("", "latest"):
        return f"{name}:slim"
    version, dash, suite = tag.rpartition("-")
    if dash and suite.isalpha():
        return f"{name}:{version}-slim-{suite}"
    return f"{name}:{tag}-slim" if tag[0].isdigit() else f"{name}:slim-{tag}"


def _wants_tk(situation: Situation) -> bool:
    """Tell whether a source of the context imports what no slim image has."""
    words = re.compile(rf"^\s*(?:import|from)\s+(?:{'|'.join(_TK)})\b", re.MULTILINE)
    return any(
        words.search(situation.read(path) or "") for path in situation.files if path.endswith(".py")
    )


def _runtime(situation: Situation, image: Image, full: Image, slim: Image) -> tuple[str, ...]:
    """Return the packages of the full image that what was installed, or is started, needs."""
    there = set(debian_packages_of(slim.tree))
    wanted = linked(image, full.tree)
    wanted |= called(situation, full.tree) | imported(situation, full.tree)
    return tuple(sorted((wanted & set(debian_packages_of(full.tree))) - there))


def _text(situation: Situation, name: str, runtime: tuple[str, ...]) -> str:
    stage = situation.final
    steps = steps_of(stage, user=situation.base(stage.base).user)
    if len(situation.dockerfile.stages) == 1 and not stage.name and (found := pip_steps(steps)):
        return split_text(situation, Split((), *found), name, runtime, lambda _: False)
    draft = Draft(situation.dockerfile)
    draft.replace(stage.instruction, on_base(stage.instruction.source.rstrip(), stage.base, name))
    if runtime and is_root(situation.base(stage.base).user):
        step = install_step(runtime, escape=situation.dockerfile.escape)
        draft.insert_after(stage.instruction, step)
    return draft.text()
