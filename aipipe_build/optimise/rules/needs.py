"""Which system packages an image needs to run, and which were only there to build it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from aipipe_build.image.packages import installed, module_of, owners
from aipipe_build.optimise.shell import commands_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aipipe_build.dockerfile.model import Stage
    from aipipe_build.image.archive import Image
    from aipipe_build.image.packages import Package
    from aipipe_build.image.tree import Tree
    from aipipe_build.optimise.situation import Situation

_SCRIPTS = (".py", ".sh", ".bash")
_STARTS = re.compile(
    r"subprocess|\bPopen|\bos\.(?:system|popen|exec|spawn)|\bwhich\b|\bcheck_(?:call|output)"
    r"|\bcreate_subprocess|\bsh\."
)
_LINES = 3
"""A call and its list of words may stand on as many lines."""
_QUOTED = re.compile(r"""["']([^"'\n]*)["']""")
_WORD = re.compile(r"[\w./+-]+")
_IMPORT = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)
_PROGRAMS = ("bin/", "sbin/", "usr/bin/", "usr/sbin/", "usr/local/bin/", "usr/games/")


def debian_packages_of(tree: Tree) -> dict[str, Package]:
    """Return the system packages in a tree by their names."""
    return {one.name: one for one in installed(tree) if one.ecosystem == "Debian"}


def closure(packages: Mapping[str, Package], names: Iterable[str]) -> set[str]:
    """Return these packages and all that they depend on."""
    found: set[str] = set()
    pending = [name for name in names if name in packages]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += [need for need in packages[name].depends if need in packages]
    return found


def asked_for(stage: Stage) -> set[str]:
    """Return the system packages that a stage's own steps install by name."""
    commands = (c for one in stage.commands for c in commands_of(one) or ())
    return {name for command in commands for name in command.apt_packages}


def linked(image: Image, base: Tree) -> set[str]:
    """Return the packages with the libraries that an image's own programs are linked against.

    Own is what neither ``base`` has nor a system package brought.
    """
    owner = owners(image.tree)
    wanted = {
        name
        for path, names in image.tree.links.items()
        if path not in owner and path not in base.entries
        for name in names
    }
    return {
        owner[path]
        for path in image.tree.entries
        if posixpath.basename(path) in wanted and path in owner
    }


def called(situation: Situation, tree: Tree) -> set[str]:
    """Return the packages whose programs the context's scripts, or the Dockerfile, start.

    A word counts where a shell runs the file, or next to a call that starts programs.
    """
    words = set(_words(situation))
    owner = owners(tree)
    found: set[str] = set()
    for path, entry in tree.entries.items():
        if path.startswith(_PROGRAMS) and posixpath.basename(path) in words:
            real = _alternative(tree, entry.link) if entry.kind == "l" else path
            found |= {owner[one] for one in (path, real) if one in owner}
    return found


def imported(situation: Situation, tree: Tree) -> set[str]:
    """Return the packages with the modules that a source of the context imports."""
    names = {
        found[1]
        for path in situation.files
        if path.endswith(".py")
        for found in _IMPORT.finditer(situation.read(path) or "")
    }
    owner = owners(tree)
    return {owner[path] for path in tree.entries if path in owner and module_of(path) in names}


def _alternative(tree: Tree, link: str) -> str:
    """Return what a link of update-alternatives(1) leads to in the end."""
    entry = tree.entries.get(link.strip("/")) if link.startswith("/etc/alternatives/") else None
    return entry.link.strip("/") if entry is not None else ""


def _words(situation: Situation) -> Iterator[str]:
    for stage in situation.dockerfile.stages:
        for one in stage.commands:
            if one.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
                yield from _names(one.source)
    for path in situation.files:
        name = posixpath.basename(path)
        if not path.endswith(_SCRIPTS) and "." in name:
            continue
        text = situation.read(path) or ""
        if path.endswith(".py"):
            yield from _started(text)
        elif path.endswith(_SCRIPTS) or text.startswith("#!") or name == "Procfile":
            yield from _names(text)


def _started(text: str) -> Iterator[str]:
    """Yield the words in quotes near a call that starts a program."""
    if not _STARTS.search(text):
        return
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if _STARTS.search(line):
            near = "\n".join(lines[max(at - 1, 0) : at + _LINES])
            for quoted in _QUOTED.finditer(near):
                yield from _names(quoted[1])


def _names(text: str) -> Iterator[str]:
    return (posixpath.basename(word) for word in _WORD.findall(text))
