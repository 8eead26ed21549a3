"""Dependency manifests before sources: an edit of the sources installs nothing again."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_build.keys.paths import absolute
from aipipe_build.optimise.copying import copying_of
from aipipe_build.optimise.edit import Draft
from aipipe_build.optimise.proposal import Proposal
from aipipe_build.optimise.shell import commands_of
from aipipe_build.optimise.situation import steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aipipe_build.optimise.copying import Copying
    from aipipe_build.optimise.shell import ShellCommand
    from aipipe_build.optimise.situation import Situation, Step

_PASSED = frozenset({"ENV", "ARG", "LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "HEALTHCHECK"})
_INCLUDE = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?=\S))(\S+)")
_LOCAL = re.compile(r"^\s*(?:-e\b|--editable|\.|file:|/|[\w./-]+/\s*$)|@\s*file:")
_OTHERS = {
    ("npm", "ci"): ("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"),
    ("npm", "install"): ("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"),
    ("yarn", "install"): ("package.json", "yarn.lock", ".yarnrc", ".npmrc"),
    ("pnpm", "install"): ("package.json", "pnpm-lock.yaml", ".npmrc"),
    ("pipenv", "install"): ("Pipfile", "Pipfile.lock"),
    ("pipenv", "sync"): ("Pipfile", "Pipfile.lock"),
}
"""Commands that read files of these names in their folder, and nothing else."""
_WITHOUT_PROJECT = {
    ("poetry", "install", "--no-root"): ("pyproject.toml", "poetry.lock"),
    ("uv", "sync", "--no-install-project"): ("pyproject.toml", "uv.lock"),
}


@dataclass(frozen=True, slots=True)
class _Found:
    copying: Copying
    run: Step
    manifests: dict[str, str]  # by the path in the image


def propose(situation: Situation) -> Proposal | None:
    """Copy what a RUN installs from first, and the rest behind it."""
    found = next(_all(situation), None)
    if found is None:
        return None
    draft = Draft(situation.dockerfile)
    copy = found.copying.instruction
    for line in _copies(found):
        draft.insert_before(copy, line)
    draft.move_after(copy, found.run.instruction)
    names = ", ".join(sorted(found.manifests.values()))
    return Proposal(
        rule="manifests",
        title=f"Copy {names} before the sources",
        why=f"line {found.run.instruction.start} installs from {names} only, and runs again "
        f"whenever anything that line {copy.start} copies has changed",
        line=copy.start,
        text=draft.text(),
    )


def _all(situation: Situation) -> Iterator[_Found]:
    for stage in situation.dockerfile.stages:
        steps = steps_of(stage)
        for at, step in enumerate(steps):
            copying = copying_of(step)
            if copying is None or set(map(_clean, copying.sources)) <= situation.files:
                continue  # files alone are as small as a COPY can be
            run = _next_run(steps[at + 1 :], copying)
            manifests = manifests_of(run, copying, situation) if run else None
            if run and manifests:
                yield _Found(copying, run, manifests)


def _next_run(steps: list[Step], copying: Copying) -> Step | None:
    for step in steps:
        keyword = step.instruction.keyword
        if keyword == "RUN":
            return step
        if keyword == "WORKDIR" and copying.absolute:
            continue
        if keyword not in _PASSED:
            return None
    return None


def manifests_of(run: Step, copying: Copying, situation: Situation) -> dict[str, str] | None:
    """Return the files of the context that a RUN reads, by their place in the image.

    None where it may read more than manifests.
    """
    commands = commands_of(run.instruction)
    if not commands or run.instruction.flag_values("mount"):
        return None
    found: dict[str, str] = {}
    for command in commands:
        wanted = _reads(command, run.workdir, copying, situation)
        if wanted is None:
            return None
        for path in wanted:
            source = copying.context_path(path, situation)
            if source:
                found[path] = source
    return found


def _reads(
    command: ShellCommand, workdir: str, copying: Copying, situation: Situation
) -> list[str] | None:
    if command.is_apt or command.cleans_lists:
        return []
    if command.is_pip_install:
        if any(_LOCAL.match(target) or "$" in target for target in command.pip_targets):
            return None
        pending = [absolute(workdir, path) for path in command.pip_files]
        return _with_includes(pending, copying, situation)
    for words, names in _OTHERS.items():
        if command.words[: len(words)] == words and _options_only(command.words[len(words) :]):
            return [posixpath.join(workdir, name) for name in names]
    for (program, verb, option), names in _WITHOUT_PROJECT.items():
        if command.words[:2] == (program, verb) and option in command.words:
            return [posixpath.join(workdir, name) for name in names]
    return None


def _options_only(words: tuple[str, ...]) -> bool:
    return all(word.startswith("-") for word in words)


def _with_includes(pending: list[str], copying: Copying, situation: Situation) -> list[str] | None:
    """Follow what requirement files include; None where one asks for a local project."""
    found: list[str] = []
    while pending:
        path = pending.pop()
        if path in found or "$" in path:
            if "$" in path:
                return None
            continue
        found.append(path)
        source = copying.context_path(path, situation)
        text = situation.read(source) if source else None
        for line in (text or "").splitlines():
            if include := _INCLUDE.match(line):
                pending.append(
                    posixpath.normpath(posixpath.join(posixpath.dirname(path), include[1]))
                )
            elif _LOCAL.search(line.partition("#")[0]):
                return None
    return found


def _copies(found: _Found) -> list[str]:
    """Return a COPY for each folder that manifests go to, in the file's own words."""
    copying = found.copying
    flags = [
        f"--{flag.removeprefix('--')}"
        for flag in copying.instruction.flags
        if not flag.startswith("--exclude")
    ]
    folders: dict[str, list[str]] = {}
    for path, source in sorted(found.manifests.items()):
        folders.setdefault(posixpath.dirname(path), []).append(source)
    lines = []
    for folder, sources in folders.items():
        target = copying.destination if folder == copying.folder else folder
        if target not in (".", "./") and not target.endswith("/"):
            target += "/"
        lines.append(" ".join(["COPY", *flags, *sources, target if target != "." else "./"]))
    return lines


def _clean(source: str) -> str:
    return absolute("/", source).strip("/")
