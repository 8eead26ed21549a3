"""The recorded texts of a project by the names that stand in them, and its classes by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select import parts
from pytest_aipipe.select.handing import Handing, handings
from pytest_aipipe.select.reader import read_mentions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_aipipe.select.mentions import Mentions
    from pytest_aipipe.select.parts import Points

    Recall = Callable[[str], Mentions | None]

Key = tuple[str, str]
"""A version of a file: its path, and the digest of its content."""

Class = tuple[str, str]
"""A class: the path of its file, and its (outermost) name."""


class Index:
    """Reads what a file mentions when it is asked for. ``versions`` are contents by path.

    ``loads`` says whether a file can have another one from somewhere, ``recall`` what a
    content is known to mention.
    """

    def __init__(
        self,
        versions: Mapping[str, Sequence[tuple[str, bytes]]],
        loads: Callable[[str, str], bool] = lambda *_: True,
        recall: Recall = lambda _: None,
    ) -> None:
        self.versions = versions
        self._loads, self._recall = loads, recall
        self._read: dict[Key, Mentions] = {}
        self._named: dict[str, list[tuple[Key, bytes]]] = {}
        self._below: dict[Class, set[Class]] = {}
        self._handings: dict[Key, list[Handing]] = {}
        self._ours: dict[str, bool] = {}

    def of_path(self, path: str) -> Iterator[tuple[Key, Mentions]]:
        """Yield the versions of a file."""
        for digest, source in self.versions.get(path, ()):
            yield (path, digest), self.of((path, digest), source)

    def of(self, key: Key, source: bytes) -> Mentions:
        """Return what a version mentions."""
        if key not in self._read:
            self._read[key] = self._recall(key[1]) or read_mentions(source)
        return self._read[key]

    def mentioning(self, name: str) -> Iterator[tuple[Key, Mentions]]:
        """Yield the versions in whose text ``name`` stands."""
        if name not in self._named:
            word = name.encode()
            self._named[name] = [
                ((path, digest), source)
                for path, versions in self.versions.items()
                for digest, source in versions
                if word in source
            ]
        for key, source in self._named[name]:
            yield key, self.of(key, source)

    def looking_up(self) -> Iterator[tuple[Key, Mentions]]:
        """Yield the versions that may look attributes up by computed names."""
        yield from self.mentioning("attr")
        yield from self.mentioning("methodcaller")

    def source(self, key: Key) -> bytes:
        """Return a version's content."""
        return dict(self.versions[key[0]])[key[1]]

    def handings(self, key: Key) -> list[Handing]:
        """Return the calls of a version that are given names."""
        if key not in self._handings:
            self._handings[key] = [*handings(self.source(key))]
        return self._handings[key]

    def is_ours(self, called: str) -> bool:
        """Whether the project defines a function or a class of that name."""
        if called not in self._ours:
            self._ours[called] = any(
                called in there.bases or any(one.name == called for one in there.functions)
                for _, there in self.mentioning(called)
            )
        return self._ours[called]

    # Classes

    def using(self, klass: Class) -> dict[Key, Points | None]:
        """Return what who has to do with a class runs: a method of it, or a line that names it.

        So do the classes below it, and what is made from them at import.
        """
        found: dict[Key, Points] = {}
        names = set(self.below(klass))
        for one in sorted(names):
            for key, there in self._meaning(one):
                made = [binder.binds for binder in there.binders if one[1] in binder.mentions]
                names |= {(key[0], name) for some in made for name in some}
        for path, name in sorted(names):
            for key, there in self._meaning((path, name)):
                lines = {one for some in there.lines.get(name, {}).values() for one in some}
                points = parts.lines(lines)
                if key[0] == path:
                    points = parts.joined(points, there.entries.get(name, parts.NOWHERE))
                found[key] = parts.joined(found.get(key, parts.NOWHERE), points)
        return dict(found)

    def bases(self, klass: Class) -> tuple[set[Class], set[str]]:
        """Return all bases of a class: those of the project, and the names of the others."""
        ours: set[Class] = {klass}
        foreign: set[str] = set()
        waiting = [klass]
        while waiting:
            path, name = waiting.pop()
            for key, there in self.of_path(path):
                for base in there.bases.get(name, ()):
                    called = _original(there, base)
                    new = {one for one in self._classes(called) if self._can_mean(key, there, one)}
                    if not new:
                        foreign.add(called)
                    waiting.extend(new - ours)
                    ours |= new
        return ours - {klass}, foreign

    def below(self, klass: Class) -> set[Class]:
        """Return the class and those that are made from it."""
        if klass not in self._below:
            self._below[klass] = self._heirs(klass)
        return self._below[klass]

    def _heirs(self, klass: Class) -> set[Class]:
        found, waiting = {klass}, [klass]
        while waiting:
            one = waiting.pop()
            for key, there in self._meaning(one):
                heirs = {
                    (key[0], heir)
                    for heir, bases in there.bases.items()
                    if any(one[1] in (base, _original(there, base)) for base in bases)
                }
                waiting.extend(heirs - found)
                found |= heirs
        return found

    def is_shaped(self, klass: Class, method: str) -> bool:
        """Whether a new method of the class may matter to more than who calls it.

        So it is where a decorator, a metaclass or a base may look through its methods, and
        where it takes the place of an abstract one.
        """
        bases, foreign = self.bases(klass)
        abstract = "ABC" in foreign or "ABCMeta" in foreign or "Protocol" in foreign
        for path, name in {klass, *bases}:
            for _, there in self.of_path(path):
                methods = there.methods.get(name, {})
                if name in there.shaped or "__init_subclass__" in methods:
                    return True
                if abstract and (path, name) != klass and method in methods:
                    return True
        return False

    def _classes(self, name: str) -> set[Class]:
        """Return the classes that are called ``name``."""
        return {(key[0], name) for key, there in self.mentioning(name) if name in there.bases}

    def _meaning(self, one: Class) -> Iterator[tuple[Key, Mentions]]:
        """Yield the versions in which the name of ``one`` can mean it."""
        for key, there in self.mentioning(one[1]):
            if self._can_mean(key, there, one):
                yield key, there

    def _can_mean(self, key: Key, there: Mentions, one: Class) -> bool:
        """Whether a name in a file can mean the class: not where it is that of its own class."""
        path, name = one
        if key[0] == path:
            return True
        if name in there.bases and name not in there.imports and not _elsewhere(there, name):
            return False
        return self._loads(key[0], path)

    def outlives(self, klass: Class) -> bool:
        """Whether a test may leave an object of the class to others: made at import, or shared."""
        for one in self.below(klass):
            name = one[1]
            for _, there in self._meaning(one):
                lines = {abs(n) for some in there.lines.get(name, {}).values() for n in some}
                made = (one for one in there.binders if one.makes and one.binds != {"__all__"})
                if any(name in one.mentions for one in made) or any(
                    line in span for span in there.shared for line in lines
                ):
                    return True
        return False


def _original(there: Mentions, name: str) -> str:
    """Return what an imported name is called where it comes from."""
    for way in there.imports.get(name, ()):
        return way.base.rpartition(".")[2]
    return name


def _elsewhere(there: Mentions, name: str) -> bool:
    """Whether the file has things of that name from other modules: ``other.Name``, a star."""
    ways = [way for way in there.lines.get(name, ()) if way.kind != "name"]
    ways += [
        way for one in there.binders for way in one.mentions.get(name, ()) if way.kind != "name"
    ]
    return bool(ways) or any(one.star for one in there.binders)
