"""A base by its digest: the same Dockerfile builds on the same image tomorrow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.proposal import Proposal

if TYPE_CHECKING:
    from aipipe_build.optimise.situation import Situation


def propose(situation: Situation) -> Proposal | None:
    """Write the digest behind every base image that the engine knows one of."""
    dockerfile = situation.dockerfile
    names = {stage.name for stage in dockerfile.stages if stage.name}
    draft = Draft(dockerfile)
    lines: list[int] = []
    for stage in dockerfile.stages:
        base = stage.base
        if "$" in base or "@" in base or base.lower() in (*names, "scratch"):
            continue
        digest = situation.base(base).digest
        if not digest:
            continue
        one = stage.instruction
        source = re.sub(
            rf"(?<=\s){re.escape(base)}(?=\s|$)", f"{base}@{digest}", one.source, count=1
        )
        draft.replace(one, source)
        lines.append(one.start)
    if not lines:
        return None
    return Proposal(
        rule="digest",
        title="Pin the base image by its digest",
        why="a tag moves: a rebuild tomorrow would stand on another image, "
        "and nobody would have seen the difference",
        line=lines[0],
        text=draft.text(),
    )
