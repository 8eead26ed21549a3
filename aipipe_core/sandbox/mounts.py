"""What lies where inside a sandbox: one ordered list, the deepest path last."""

from __future__ import annotations

import os
import site
import sys
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aipipe_core.sandbox.policy import Policy

PACKAGES = Path(__file__).resolve().parents[2]
"""The folder that holds ``aipipe_core``: the launcher is loaded from it."""
_SCRATCH = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - mounted over, never written to


class Place(IntEnum):
    """What a path becomes; a greater one wins over a lesser at the same path."""

    HIDDEN = 0
    """Empty and unwritable."""
    SCRATCH = 1
    """Empty at the start, private, writable."""
    READABLE = 2
    WRITABLE = 3


class Mount(NamedTuple):
    """One path and what it becomes."""

    path: str
    place: Place


def mounts(policy: Policy, argv: Sequence[str], cwd: Path) -> tuple[Mount, ...]:
    """Return what to lay over the read-only file system, in the order of laying.

    Raises ``RequestError`` where a writable folder does not exist.
    """
    places = dict.fromkeys(map(os.path.realpath, _SCRATCH), Place.SCRATCH)
    places = {path: place for path, place in places.items() if Path(path).is_dir()}
    for hidden in _existing(policy.hidden):
        places.setdefault(hidden, Place.HIDDEN)
    for readable in _existing(policy.readable):
        places[readable] = Place.READABLE
    for folder in policy.writable:
        if not folder.exists():
            raise RequestError(
                "sandbox-writable-missing",
                "A folder that the sandbox should be able to write to does not exist",
                where=str(folder),
                hint="Make it before the run.",
            )
        places[os.path.realpath(folder)] = Place.WRITABLE
    for seen in _existing(_needed(argv, cwd)):
        if place_of(seen, places) in (Place.HIDDEN, Place.SCRATCH) and seen not in places:
            places[seen] = Place.READABLE
    return tuple(Mount(path, places[path]) for path in sorted(places, key=_depth))


def place_of(path: str, places: dict[str, Place]) -> Place | None:
    """Return what the deepest rule at or above ``path`` says, ``None`` where none does."""
    for candidate in (Path(path), *Path(path).parents):
        if str(candidate) in places:
            return places[str(candidate)]
    return None


def _depth(path: str) -> tuple[int, str]:
    return len(Path(path).parts), path


def _existing(paths: Sequence[Path] | Iterator[Path]) -> Iterator[str]:
    return (os.path.realpath(path) for path in paths if path.exists())


def _needed(argv: Sequence[str], cwd: Path) -> Iterator[Path]:
    """Yield what must stay visible for the run to start at all."""
    yield cwd
    yield PACKAGES
    yield from map(Path, (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix))
    yield from (Path(entry) for entry in sys.path if Path(entry).is_dir())
    yield Path(site.getusersitepackages())
    program = Path(argv[0]) if argv else Path()
    if program.is_absolute():
        # A virtual environment of the project's, and the installation that it stands on.
        for binary in (program, program.resolve()):
            yield binary.parent.parent if binary.parent.name == "bin" else binary
