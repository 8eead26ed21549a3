"""What is installed around a project, and the project's own part in it.

A project that is installed from its working tree has a version of its own among the installed
packages, which may be another one after each commit. Its code is recorded like any other file
of the project; what else can be read of it, its metadata, is recorded by content with whoever
opened it, and so its version does not count as a dependency.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.metadata import Distribution

FORMAT = "1"
"""To be raised whenever what is recorded means something else."""

MARK = "<installed>"
"""Begins what stands, among the files that a test read, for a file of its own metadata."""

ENTRIES = "entry_points.txt"
"""What plugins and commands are made of: whoever is loaded by it need not have read it."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What tests depend on outside the project: ``told`` in words that compare.

    ``own`` are the folders with the metadata of packages that are installed from the working
    tree, and the names of these.
    """

    told: tuple[str, ...] = ()
    own: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        """Return a digest of Python and of what is installed.

        Two environments share a store without reading each other's rows.
        """
        told = [FORMAT, sys.version, sys.platform, *self.told]
        return hashlib.blake2b("\0".join(told).encode(), digest_size=6).hexdigest()

    def marks(self) -> dict[str, str]:
        """Return, by file of the own metadata, what stands for it and its content."""
        return {
            file: f"{MARK}{package}/{name}@{_digest(file)}"
            for folder, package in self.own.items()
            for name in _listed(folder)
            if os.path.isfile(file := os.path.join(folder, name))  # noqa: PTH113, PTH118
        }

    def read_unheard(self) -> frozenset[str]:
        """Return the marks that anybody may depend on who opened nothing.

        pkg_resources takes versions from the names of folders, once for a process.
        """
        heard = not self.own or "pkg_resources" not in sys.modules
        return frozenset() if heard else frozenset(self.marks().values())


def installed(
    inside: Callable[[str], str | None], every: Iterable[Distribution] | None = None
) -> Installed:
    """Return what is installed; ``inside`` turns a real file name into the project's path."""
    told, own = set(), {}
    for one in distributions() if every is None else every:
        place: Any = getattr(one, "_path", None)
        if place is None:
            told.add(f"{one.name}-{one.version}")
        elif isinstance(place, Path) and _is_own(place, inside):
            name = place.name.partition("-")[0].partition(".egg")[0]
            folder = os.path.abspath(place)  # noqa: PTH100 - as it is opened
            own[folder] = name
            told.add(f"{name} {_digest(os.path.join(folder, ENTRIES))}")  # noqa: PTH118
        else:
            told.add(place.name)
    return Installed(tuple(sorted(told)), own)


def _is_own(place: Path, inside: Callable[[str], str | None]) -> bool:
    """Whether the metadata in ``place`` is that of a package that runs from the working tree."""
    if inside(os.path.realpath(place)) is not None:
        return place.is_dir()
    try:
        said = json.loads((place / "direct_url.json").read_bytes())
        url = urlsplit(said["url"])
        editable = said["dir_info"]["editable"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return (
        editable
        and url.scheme == "file"
        and inside(os.path.realpath(unquote(url.path))) is not None
    )


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - real paths, as strings
    except OSError:
        return []


def _digest(file: str) -> str:
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - a string
            return hashlib.blake2b(stream.read(), digest_size=8).hexdigest()
    except OSError:
        return ""
