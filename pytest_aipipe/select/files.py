"""Changed files that are no code: who depends on them by what it opened.

Message catalogues are a case of their own. Programs read what is compiled from a ``.po``, so
that its change means nothing to a run before it is compiled again, unless somebody has ever
opened it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_aipipe.select.demand import Clause
from pytest_aipipe.select.installed import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aipipe_core.change.model import FileChange

EVER = "<ever>"
"""Under this name the map keeps the catalogues that anybody has ever opened.

The record of who opened one first goes when that test is deleted, or opens it no more, while
others may live on what it kept.
"""

CATALOGUES = (".po", ".pot")
COMPILED_CATALOGUES = (".mo", ".gmo", ".json", ".js")
REMEMBERED = (".po", ".pot", ".mo", ".gmo")
"""Endings of what is remembered for :data:`EVER`."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in the project's files: ``now``, and at the change's ``base``.

    ``tracked`` says whether the base has a file of that path, changed or not.
    """

    now: Callable[[str], bytes | None]
    base: Callable[[str], bytes | None]
    tracked: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class Past:
    """What was ever opened of catalogues, and the modules loaded before anybody watched."""

    opened: frozenset[str] = frozenset()
    early: frozenset[str] = frozenset()


@dataclass(slots=True)
class Files:
    """The changed files ``data``, and what of the project's own metadata is ``installed`` now.

    ``texts`` are changed files that only who opens them reads: code, documents.
    """

    data: Sequence[FileChange]
    contents: Contents
    installed: frozenset[str] = frozenset()
    past: Past = Past()
    texts: Sequence[FileChange] = ()
    places: dict[str, str] = field(default_factory=dict)
    """What who depends on a file has opened, and that file."""

    def __post_init__(self) -> None:
        for file in (*self.data, *self.texts):
            self.places.update(dict.fromkeys(_places(file), file.path))
        for file in self.data:
            self.places.update(dict.fromkeys(self._compiled(file), file.path))

    def differing(self, reads: Iterable[str]) -> str | None:
        """Return what of ``reads`` is not what it was then, None where all of it is."""
        return next(filter(self.differs, reads), None)

    def differs(self, place: str) -> bool:
        """Whether what somebody opened is not what it was."""
        return place in self.places or self.is_stale(place)

    def is_stale(self, place: str) -> bool:
        """Whether a place stands for metadata of the project that is no more."""
        return place.startswith(MARK) and place not in self.installed

    def why(self, place: str) -> str:
        """Return why who read a place notices, in words."""
        if place in self.places:
            return f"reads {self.places[place]}"
        return f"reads what is installed of {place.removeprefix(MARK).partition('/')[0]}"

    def kept(self, recorded: Mapping[str, list[str]]) -> list[Clause]:
        """Return who runs code beside a changed file: what was read once may be kept for others.

        A folder that holds tests is no package whose code would keep it.
        """
        found = []
        for file in self.data:
            beside = _beside(file.path, recorded)
            if not beside or any(map(is_test, beside)) or self._is_unread(file, beside):
                continue
            why = f"runs code beside {file.path}, which changed"
            keys = [(path, one) for path in beside for one in recorded[path]]
            found.append(Clause(why, [dict.fromkeys(keys)]))
        return found

    def _is_unread(self, file: FileChange, beside: Sequence[str]) -> bool:
        """Whether nobody can have kept anything of a file: a catalogue that was never opened."""
        if not file.path.endswith(CATALOGUES) or not self.past.early.isdisjoint(beside):
            return False
        return self.past.opened.isdisjoint(_paths(file)) and not self._compiled(file)

    def _compiled(self, file: FileChange) -> list[str]:
        """Return what a build may have made of a catalogue since: what git does not know.

        What git knows is compared by itself.
        """
        stems = [path.rpartition(".")[0] for path in _paths(file) if path.endswith(CATALOGUES)]
        made = [f"{stem}{ending}" for stem in stems for ending in COMPILED_CATALOGUES]
        return [
            path
            for path in made
            if (path in self.past.opened or self.contents.now(path) is not None)
            and not self.contents.tracked(path)
        ]


def is_test(path: str) -> bool:
    """Whether a file's name is that of a module of tests, or of their fixtures."""
    name = PurePosixPath(path).name
    return name == "conftest.py" or name.startswith("test") or name.endswith("_test.py")


def _beside(path: str, recorded: Iterable[str]) -> list[str]:
    """Return the code in the nearest folder above a file that holds any; not in the top one."""
    folder = path.rpartition("/")[0]
    while folder:
        found = [one for one in recorded if one.startswith(f"{folder}/")]
        if found:
            return found
        folder = folder.rpartition("/")[0]
    return []


def _paths(file: FileChange) -> list[str]:
    return [path for path in (file.path, file.old_path) if path]


def _places(file: FileChange) -> list[str]:
    """Return what who depends on a data file reads: itself, or its folder when it comes or goes."""
    paths = _paths(file)
    folders = [f"{path.rpartition('/')[0]}/" for path in paths] if file.status != "M" else []
    return [*paths, *folders]
