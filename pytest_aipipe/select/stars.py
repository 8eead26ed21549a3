"""What ``from module import *`` takes: the names that a module offers, read from its text."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core import syntax
from aipipe_core.change.symbols import UnreadableSourceError, parse
from pytest_aipipe.select import parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_aipipe.select.graph import Graph


@dataclass(frozen=True, slots=True)
class Star:
    """A star that came or went: from which module, ``level`` dots up.

    ``named`` are the names that the other version takes from the same module one by one.
    """

    module: str
    level: int
    gained: bool
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Offer:
    """The names that a star takes: ``sure`` in any case, ``maybe`` at most.

    ``stars`` are the modules (with their level) whose names it may pass on.
    """

    sure: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()
    stars: tuple[tuple[str, int], ...] = ()
    readable: bool = True


class Offers:
    """Tells what the modules of a project offer. ``versions`` are their contents by path."""

    def __init__(self, graph: Graph, versions: Mapping[str, Sequence[tuple[str, bytes]]]) -> None:
        self._graph, self._versions = graph, versions

    def of(
        self, path: str, module: str, level: int, seen: frozenset[str] = frozenset()
    ) -> Offer | None:
        """Return what a star in ``path`` takes from a module, None where it cannot be told."""
        files = self._graph.meant(path, level, module)
        sure: frozenset[str] | None = None
        maybe: set[str] = set()
        for file in files - seen:
            maybe |= self._modules(file)
            for _, source in self._versions.get(file, ()):
                offer = read_offer(source)
                inner = [self.of(file, *star, seen | {file}) for star in offer.stars]
                if not offer.readable or None in inner:
                    return None
                sure = offer.sure if sure is None else sure & offer.sure
                maybe = maybe.union(offer.maybe, *(one.maybe for one in inner if one))
        if sure is None:
            return Offer() if files & seen else None
        return Offer(sure, frozenset(maybe))

    def own(self, path: str, star: Star) -> set[str]:
        """Return what a star in a package's ``__init__`` takes and the package has anyway.

        These are its own modules, where the other module has only imported them: who loads a
        module binds it in its package. That the other version loads the other module as well
        is told by the names that it takes from there.
        """
        names = self._modules(path) if star.named else set()
        for file in self._graph.meant(path, star.level, star.module):
            for _, source in self._versions.get(file, ()):
                names &= self._imported(path.rpartition("/")[0], file, source)
        return names

    def _imported(self, folder: str, file: str, source: bytes) -> set[str]:
        """Return the modules in ``folder`` that a file binds by their names and in no other way."""
        try:
            body = parts.single(parse(source).body)
        except UnreadableSourceError:
            return set()
        found: set[str] = set()
        others: set[str] = set()
        for node in body:
            names = parts.bound(node)
            is_import = isinstance(node, ast.ImportFrom) and names == {node.names[0].name}
            meant = self._meant(file, node) if isinstance(node, ast.ImportFrom) else frozenset()
            for name in names:
                modules = {f"{folder}/{name}.py", f"{folder}/{name}/__init__.py"}
                (found if is_import and meant and meant <= modules else others).add(name)
        return found - others

    def _meant(self, file: str, node: ast.ImportFrom) -> frozenset[str]:
        name = f"{node.module or ''}.{node.names[0].name}".removeprefix(".")
        return self._graph.meant(file, node.level, name)

    def _modules(self, file: str) -> set[str]:
        """Return the names of the modules in the package of an ``__init__``: loading binds them."""
        folder, _, name = file.rpartition("/")
        if name != "__init__.py" or not folder:
            return set()
        inside = [one for one in self._graph.files if one.startswith(f"{folder}/")]
        tops = {one[len(folder) + 1 :].partition("/")[0] for one in inside}
        return {one.removesuffix(".py") for one in tops}


def differing(
    gone: Sequence[ast.stmt], come: Sequence[ast.stmt]
) -> tuple[list[Star], list[ast.stmt], list[ast.stmt]]:
    """Return the stars among two sides of a difference, and what is left of both sides.

    What a star took on one side and the other side names is left to who knows the module.
    """
    found: list[Star] = []
    for mine, theirs, gained in ((gone, come, False), (come, gone, True)):
        for node in filter(_is_star, mine):
            named = [alias.name for one in theirs for alias in _from_same(node, one)]
            module, level = node.module or "", node.level  # type: ignore[attr-defined]
            found.append(Star(module, level, gained, frozenset(named)))
    return found, _without(gone, come), _without(come, gone)


def _without(mine: Sequence[ast.stmt], theirs: Sequence[ast.stmt]) -> list[ast.stmt]:
    stars = [node for node in theirs if _is_star(node)]
    return [
        node
        for node in mine
        if not _is_star(node) and not any(_from_same(star, node) for star in stars)
    ]


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)


def _from_same(star: ast.stmt, node: ast.stmt) -> list[ast.alias]:
    """Return what ``node`` takes by its own name from the module of ``star``."""
    if not (isinstance(star, ast.ImportFrom) and isinstance(node, ast.ImportFrom)):
        return []
    if (star.module, star.level) != (node.module, node.level):
        return []
    return [one for one in node.names if one.name != "*" and one.asname in (None, one.name)]


def read_offer(source: bytes) -> Offer:
    """Return what ``source`` offers to a star."""
    try:
        tree = parse(source)
    except UnreadableSourceError:
        return Offer(readable=False)
    sure: set[str] = set()
    maybe: set[str] = set()
    stars: list[tuple[str, int]] = []
    for node in tree.body:
        names = parts.bound(node)
        maybe |= names
        if isinstance(node, ast.Delete):
            sure -= names
        if not _is_conditional(node):
            sure |= names
        stars += [
            (one.module or "", one.level)
            for one in ast.walk(node)
            if isinstance(one, ast.ImportFrom) and _is_star(one)
        ]
    told = _told(tree)
    if told is not None:
        return Offer(told, told, tuple(stars))
    if "__all__" in maybe:
        return Offer(frozenset(), frozenset(maybe), tuple(stars))
    return Offer(_public(sure), _public(maybe), tuple(stars))


def hides(source: bytes, name: str) -> bool:
    """Whether a literal ``__all__`` of a module keeps ``name`` from every star."""
    if b"__all__" not in source or name == "__all__":
        return False
    try:
        told = _told(parse(source))
    except UnreadableSourceError:
        return False
    return told is not None and name not in told


def _is_conditional(node: ast.stmt) -> bool:
    """Whether what the statement binds may stay unbound, or is taken away."""
    return not isinstance(
        node, (*parts.DEFINITIONS, ast.Import, ast.ImportFrom, ast.Assign, ast.AugAssign)
    ) and not (isinstance(node, ast.AnnAssign) and node.value is not None)


def _public(names: set[str]) -> frozenset[str]:
    return frozenset(name for name in names if not name.startswith("_") and name != "*")


def _told(tree: ast.Module) -> frozenset[str] | None:
    """Return the names of a literal ``__all__`` that nothing else touches, else None."""
    uses = [one for one in ast.walk(tree) if isinstance(one, ast.Name) and one.id == "__all__"]
    for node in tree.body if len(uses) == 1 else ():
        if isinstance(node, ast.Assign) and node.targets == uses:
            try:
                value = syntax.literal(node.value)
            except ValueError:
                return None
            if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
                return frozenset(value)
    return None
