"""What changes often comes last: installers before sources, and COPYs by their history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_build.keys.paths import absolute
from aipipe_build.optimise.copying import copying_of, overlaps
from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.proposal import Proposal
from aipipe_build.optimise.shell import commands_of
from aipipe_build.optimise.situation import steps_of

if TYPE_CHECKING:
    from aipipe_build.optimise.copying import Copying
    from aipipe_build.optimise.situation import Situation, Step

_PASSED = frozenset({"ENV", "ARG", "LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "HEALTHCHECK"})
_SYSTEM = ("/etc", "/usr", "/root", "/lib", "/bin", "/sbin", "/var")


def propose(situation: Situation) -> Proposal | None:
    """Move the first COPY that stands before something that changes less often."""
    for stage in situation.dockerfile.stages:
        steps = steps_of(stage)
        # From the last: two COPYs before one installer keep their order.
        for at in reversed(range(len(steps))):
            copying = copying_of(steps[at])
            if copying is None:
                continue
            target, why = _installer(steps, at, copying, situation)
            if target is None:
                target, why = _steadier(steps, at, copying, situation)
            if target is not None:
                return _moved(situation, copying, target, why)
    return None


def _moved(situation: Situation, copying: Copying, target: Step, why: str) -> Proposal:
    draft = Draft(situation.dockerfile)
    draft.move_after(copying.instruction, target.instruction)
    what = " ".join(copying.sources)
    return Proposal(
        rule="order",
        title=f"Copy {what} after line {target.instruction.start}",
        why=why,
        line=copying.instruction.start,
        text=draft.text(),
    )


def _installer(
    steps: list[Step], at: int, copying: Copying, situation: Situation
) -> tuple[Step | None, str]:
    """Find the last RUN behind a COPY that installs from elsewhere, with nothing between."""
    if copying.folder.startswith(_SYSTEM):
        return None, ""  # it may be what the installer is configured with
    found: Step | None = None
    for step in steps[at + 1 :]:
        one = step.instruction
        if one.keyword == "RUN":
            if not _is_independent(step, copying, situation):
                break
            found = step
        elif other := copying_of(step):
            if overlaps(copying.places(situation), other.places(situation)):
                break
        elif not _passable(step, copying):
            break
    if found is None:
        return None, ""
    return found, (
        f"line {found.instruction.start} installs nothing that comes from "
        f"{' '.join(copying.sources)}, and runs again whenever that changes"
    )


def _is_independent(step: Step, copying: Copying, situation: Situation) -> bool:
    """Tell whether a RUN only installs, and reads nothing that the COPY brings."""
    if step.instruction.flag_values("mount"):
        return False
    commands = commands_of(step.instruction)
    if not commands:
        return False
    for command in commands:
        if command.is_apt or command.cleans_lists:
            continue
        if not command.is_pip_install or any("$" in word for word in command.words):
            return False
        if any(target.startswith((".", "/", "-")) for target in command.pip_targets):
            return False
        files = tuple(absolute(step.workdir, path) for path in command.pip_files)
        if overlaps(files, copying.places(situation)):
            return False
    return True


def _steadier(
    steps: list[Step], at: int, copying: Copying, situation: Situation
) -> tuple[Step | None, str]:
    """Find the last of the COPYs right behind this one that changed in fewer commits."""
    own = situation.commits_of(copying.sources)
    found: tuple[Step | None, str] = (None, "")
    for step in steps[at + 1 :]:
        other = copying_of(step)
        if other is None or overlaps(copying.places(situation), other.places(situation)):
            break
        count = situation.commits_of(other.sources)
        if count < own:
            found = (
                step,
                (
                    f"{' '.join(copying.sources)} changed in {own} of the last commits, "
                    f"{' '.join(other.sources)} in {count}"
                ),
            )
    return found


def _passable(step: Step, copying: Copying) -> bool:
    keyword = step.instruction.keyword
    return keyword in _PASSED or (keyword == "WORKDIR" and copying.absolute)
