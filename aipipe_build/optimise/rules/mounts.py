"""Cache mounts: what pip and apt download is kept by the builder and never in a layer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aipipe_build.dockerfile.errors import DockerfileError
from aipipe_build.dockerfile.parse import parse_trigger
from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.proposal import Proposal
from aipipe_build.optimise.shell import commands_of
from aipipe_build.optimise.situation import is_root, steps_of

if TYPE_CHECKING:
    from aipipe_build.optimise.shell import ShellCommand
    from aipipe_build.optimise.situation import Situation, Step

PIP = ("--mount=type=cache,target=/root/.cache/pip",)
# Not all of /var/lib/apt: extended_states, which says what was asked for, belongs to the image.
APT = (
    "--mount=type=cache,target=/var/lib/apt/lists,sharing=locked",
    "--mount=type=cache,target=/var/cache/apt,sharing=locked",
)
_OLD_SYNTAX = re.compile(r"docker/dockerfile:1\.[01](?:\.\d+)?$|docker/dockerfile:0")
_NO_CACHE = "--no-cache-dir"


def propose(situation: Situation) -> Proposal | None:
    """Give every RUN that installs with pip or apt the mounts that it lacks."""
    if _OLD_SYNTAX.search(situation.dockerfile.syntax):
        return None
    draft = Draft(situation.dockerfile)
    escape = situation.dockerfile.escape
    lines: list[int] = []
    for stage in situation.dockerfile.stages:
        user = situation.base(situation.base_of(stage)).user
        for step in steps_of(stage, user=user):
            source = _source(step, escape)
            if source is not None:
                draft.replace(step.instruction, source)
                lines.append(step.instruction.start)
    if not lines:
        return None
    return Proposal(
        rule="mounts",
        title=f"Keep downloads in cache mounts (line {', '.join(map(str, lines))})",
        why="an install that has to run again takes from the builder's cache what it had before, "
        "and no layer holds it",
        line=lines[0],
        text=draft.text(),
    )


def _source(step: Step, escape: str) -> str | None:
    one = step.instruction
    commands = commands_of(one)
    if not commands or not is_root(step.user) or step.env.get("HOME", "/root") != "/root":
        return None
    if any("type=cache" in mount for mount in one.flag_values("mount")):
        return None
    pip = any(c.is_pip_install for c in commands) and not step.env.get("PIP_NO_CACHE_DIR")
    pip = pip and not any("--cache-dir" in word for c in commands for word in c.words)
    # Alone an update leaves its lists for the step behind it: they may not be taken away.
    apt = any(c.apt_verb == "install" for c in commands) and any(
        c.apt_verb == "update" for c in commands
    )
    flags = [*(PIP if pip else ()), *(APT if apt else ())]
    if not flags:
        return None
    source = one.source
    if pip:
        source = _without_word(source, _NO_CACHE, escape)
    if apt:
        source = _without_cleaning(source, escape)
    mark = f" {escape}\n    "
    source = re.sub(
        r"^(\s*RUN)[ \t]+", lambda found: found[1] + "".join(f" {f}{mark}" for f in flags), source,
        count=1, flags=re.IGNORECASE,
    )  # fmt: skip
    source = source.replace(f"{mark} --mount", f"{mark}--mount")
    return source if _means(source, commands, pip=pip, apt=apt) else None


def _without_word(source: str, word: str, escape: str) -> str:
    """Take a word away, and the line that it had for itself."""
    end = re.escape(escape)
    source = re.sub(rf"[ \t]*\n?[ \t]*{word}[ \t]*(?={end}\r?\n)", " ", source)
    source = re.sub(rf"{end} +{end}", lambda _: escape, source)
    return re.sub(rf"[ \t]+{word}(?=\s|$)", "", source)


def _without_cleaning(source: str, escape: str) -> str:
    """Take ``&& rm -rf /var/lib/apt/lists/*`` away: it would empty the cache."""
    end = re.escape(escape)
    gap = rf"[ \t]*(?:{end}[ \t]*\r?\n[ \t]*)?"
    paths = r"(?:\s+/var/(?:lib/apt|cache/apt)[\w/*.]*)+"
    return re.sub(rf"{gap}&&{gap}rm[ \t]+-\w+{paths}(?=\s|$)", "", source)


def _means(source: str, before: tuple[ShellCommand, ...], *, pip: bool, apt: bool) -> bool:
    """Tell whether the new text runs the same commands, but for what was to go."""
    try:
        after = commands_of(parse_trigger(source))
    except DockerfileError:
        return False
    kept = [c.words for c in before if not (apt and c.cleans_lists)]
    if pip:
        kept = [tuple(word for word in words if word != _NO_CACHE) for words in kept]
    return after is not None and [c.words for c in after] == kept
