"""A user other than root: what breaks into the program does not own the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.proposal import Effects, Proposal
from aipipe_build.optimise.situation import is_root, steps_of

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.optimise.situation import Situation

_LAST = frozenset({"EXPOSE", "HEALTHCHECK", "CMD", "ENTRYPOINT", "LABEL", "STOPSIGNAL", "VOLUME"})
_WHO = "nobody"


def propose(situation: Situation) -> Proposal | None:
    """Let the image's last instructions, and so its program, run as nobody."""
    stage = situation.final
    steps = steps_of(stage, user=situation.base(situation.base_of(stage)).user)
    user = steps[-1].user if steps else ""
    if steps and steps[-1].instruction.keyword == "USER":
        user = steps[-1].instruction.args[0]
    if not steps or not is_root(user) or not _knows_nobody(situation):
        return None
    draft = Draft(situation.dockerfile)
    first = _first_of_the_last(stage.commands)
    if first is None:
        draft.insert_after(stage.commands[-1], f"USER {_WHO}")
    else:
        draft.insert_before(first, f"USER {_WHO}")
    return Proposal(
        rule="user",
        title=f"Run as {_WHO}, not as root",
        why="a program that is broken into then owns none of the image's files",
        line=(first or stage.commands[-1]).start,
        text=draft.text(),
        # Only a smoke command that exercises the program tells whether it could do without root.
        effects=Effects(config=frozenset({"User"}), own_smoke=True),
    )


def _first_of_the_last(commands: tuple[Instruction, ...]) -> Instruction | None:
    first = None
    for one in reversed(commands):
        if one.keyword not in _LAST:
            break
        first = one
    return first


def _knows_nobody(situation: Situation) -> bool:
    """An image without a user list takes no user by name."""
    return situation.image is None or "etc/passwd" in situation.image.tree.entries
