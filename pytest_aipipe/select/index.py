"""The recorded texts of a project by the names that stand in them, and its classes by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select import parts
from pytest_aipipe.select.mentions import Mentions, read_mentions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_aipipe.select.parts import Points

Key = tuple[str, str]
"""A version of a file: its path, and the digest of its content."""


class Index:
    """Reads what a file mentions when it is asked for. ``versions`` are contents by path."""

    def __init__(self, versions: Mapping[str, Sequence[tuple[str, bytes]]]) -> None:
        self.versions = versions
        self._read: dict[Key, Mentions] = {}

    def of_path(self, path: str) -> Iterator[tuple[Key, Mentions]]:
        """Yield the versions of a file."""
        for digest, source in self.versions.get(path, ()):
            yield (path, digest), self.of((path, digest), source)

    def of(self, key: Key, source: bytes) -> Mentions:
        """Return what a version mentions."""
        if key not in self._read:
            self._read[key] = read_mentions(source)
        return self._read[key]

    def mentioning(self, name: str) -> Iterator[tuple[Key, Mentions]]:
        """Yield the versions in whose text ``name`` stands."""
        word = name.encode()
        for path, versions in self.versions.items():
            for digest, source in versions:
                if word in source:
                    yield (path, digest), self.of((path, digest), source)

    def source(self, key: Key) -> bytes:
        """Return a version's content."""
        return dict(self.versions[key[0]])[key[1]]

    def using(self, klass: str) -> dict[Key, Points | None]:
        """Return what who has to do with a class runs: a method of it, or a line that names it.

        So do the classes below it, and what is made from them at import.
        """
        found: dict[Key, Points] = {}
        names = self.below(klass)
        for name in sorted(names):
            for _, there in self.mentioning(name):
                made = [one.binds for one in there.binders if name in one.mentions]
                names = names.union(*made)
        for name in sorted(names):
            for key, there in self.mentioning(name):
                lines = {one for some in there.lines.get(name, {}).values() for one in some}
                points = parts.joined(parts.lines(lines), there.entries.get(name, parts.NOWHERE))
                found[key] = parts.joined(found.get(key, parts.NOWHERE), points)
        return dict(found)

    def bases(self, klass: str) -> set[str]:
        """Return the names of all bases of a class, those of its bases included."""
        found: set[str] = set()
        waiting = [klass]
        while waiting:
            name = waiting.pop()
            for _, there in self.mentioning(name):
                new = set(there.bases.get(name, ())) - found
                found |= new
                waiting.extend(new)
        return found

    def below(self, klass: str) -> set[str]:
        """Return the class and those that are made from it, by name."""
        found, waiting = {klass}, [klass]
        while waiting:
            name = waiting.pop()
            for _, there in self.mentioning(name):
                new = {one for one, bases in there.bases.items() if name in bases} - found
                found |= new
                waiting.extend(new)
        return found

    def is_ours(self, klass: str) -> bool:
        """Whether a class of that name is defined in the project."""
        return any(klass in found.bases for _, found in self.mentioning(klass))

    def outlives(self, klass: str) -> bool:
        """Whether a test may leave an object of the class to others: made at import, or shared."""
        for name in self.below(klass):
            for _, there in self.mentioning(name):
                lines = {one for some in there.lines.get(name, {}).values() for one in some}
                if any(one.makes and name in one.mentions for one in there.binders) or any(
                    line in span for span in there.shared for line in lines
                ):
                    return True
        return False
