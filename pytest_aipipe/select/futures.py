"""What it means that a file takes something else from ``__future__``.

A feature that the interpreter has anyway changes nothing. ``annotations`` changes how
annotations are kept, and that they are not evaluated: only who reads them can tell, and for
that it has to come by the function or the class that has them, without just calling it.
"""

from __future__ import annotations
import __future__

import ast
import sys
from typing import TYPE_CHECKING

from aipipe_core.change.symbols import parse
from pytest_aipipe.select import parts
from pytest_aipipe.select.bases import PLAIN, TEST_CASES
from pytest_aipipe.select.demand import Clause
from pytest_aipipe.select.mentions import DOTTED, LOOKUP, STAR
from pytest_aipipe.select.parts import Block, Level
from pytest_aipipe.select.reader import last, outer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_aipipe.select.impact import Impact
    from pytest_aipipe.select.index import Index, Key
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.spread import Spread

KEPT_AS_TEXT = "annotations"

READERS = frozenset(
    {"__annotations__", "__annotate__", "get_type_hints", "get_annotations", "signature"}
    | {"getfullargspec", "create_autospec", "autospec", "getmembers", "__signature__"}
)
"""Names by which annotations are read."""

BLIND_DECORATORS = frozenset(
    {"property", "setter", "getter", "deleter", "staticmethod", "classmethod", "cached_property"}
    | {"cache", "lru_cache", "wraps", "contextmanager", "asynccontextmanager", "abstractmethod"}
    | {"overload", "override", "final", "dataclass", "total_ordering", "no_type_check"}
    | {"fixture", "parametrize", "skip", "skipif", "xfail", "usefixtures", "filterwarnings"}
)
"""Decorators that evaluate no annotation."""

BLIND_BASES = PLAIN | TEST_CASES | {"NamedTuple", "TypedDict", "Enum", "IntEnum", "StrEnum", "Flag"}
"""Bases that evaluate no annotation when a class is made from them."""

_RUNNING = (ast.Call, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)


def differing(old: ast.Module, new: ast.Module) -> set[str]:
    """Return the features that one of two versions takes, and that this interpreter leaves open."""
    return {one for one in taken(old) ^ taken(new) if not _is_settled(one)}


def taken(tree: ast.Module) -> set[str]:
    """Return the features that a version takes."""
    return {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    }


def _is_settled(name: str) -> bool:
    """Whether a feature is part of the language that runs here."""
    feature = getattr(__future__, name, None)
    since = feature.getMandatoryRelease() if feature is not None else None
    return since is not None and sys.version_info[:3] >= since[:3]


def kept_as_text(impact: Impact, tree: ast.Module) -> None:
    """Add who may notice that the annotations of a version are kept as text, or were.

    A plain function is noticed where it is handed on (``impact.handed``), a class wherever it
    is used. What hands them on at import, a decorator or a base, may fail there.
    """
    for block in parts.blocks(Block(tree.body, Level("module"))):
        for node in block.body:
            found = [*_evaluated(node, block.level)]
            if not found:
                continue
            impact.handed = impact.handed or set()
            if any(map(runs, found)):
                impact.whole = "runs code in its annotations, or ran some"
            if block.level.at_import and not _is_unread(node):
                impact.whole = "may read annotations when it is imported"
            _noticed(impact, node, block.level)


def _noticed(impact: Impact, node: ast.stmt, level: Level) -> None:
    if not level.at_import:
        impact.lines |= parts.lines(parts.header(node))[0]
    elif level.owner or isinstance(node, ast.ClassDef):
        impact.names.add((*level.owner, getattr(node, "name", ""))[0])
    elif isinstance(node, parts.FUNCTIONS):
        impact.handed = {*(impact.handed or ()), node.name}


def _is_unread(node: ast.stmt) -> bool:
    """Whether nothing that runs with a definition evaluates its annotations."""
    told = {last(one) for one in getattr(node, "decorator_list", ())}
    bases = {last(one) for one in getattr(node, "bases", ())}
    bases |= {last(one.value) for one in getattr(node, "keywords", ())} - {"ABCMeta"}
    return told <= BLIND_DECORATORS and bases <= BLIND_BASES


def _evaluated(node: ast.stmt, level: Level) -> Iterator[ast.expr]:
    """Yield the annotations that are evaluated with ``node``: a class has those of its members."""
    if isinstance(node, ast.ClassDef):
        for one in node.body if level.at_import else ():
            yield from _evaluated(one, level)
    if isinstance(node, ast.AnnAssign) and level.at_import:
        yield node.annotation
    if isinstance(node, parts.FUNCTIONS):
        yield from noted(node)


def noted(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """Yield the annotations of a function."""
    some = node.args
    every = (*some.posonlyargs, *some.args, *some.kwonlyargs, some.vararg, some.kwarg)
    yield from filter(None, (one.annotation for one in every if one is not None))
    if node.returns is not None:
        yield node.returns


def runs(annotation: ast.expr) -> bool:
    """Return whether code of the project runs where an annotation is evaluated."""
    return any(isinstance(one, _RUNNING) for one in ast.walk(annotation))


class Handed:
    """Where functions called ``names`` are handed on, or annotations of any may be read.

    ``lines`` are those of functions, ``bound`` what is made of them at import, by file, and
    ``effects`` the files that do more with them than to name the outcome.
    """

    def __init__(self, index: Index, names: Iterable[str]) -> None:
        self.lines: dict[Key, Points | None] = {}
        self.bound: dict[str, set[str]] = {}
        self.effects: set[str] = set()
        self._names = {*names} | READERS
        found = [(key, there) for path in index.versions for key, there in index.of_path(path)]
        size = 0
        while len(self._names) > size:
            size = len(self._names)
            for _, there in found:
                self._names |= {
                    name
                    for name, ways in there.imports.items()
                    if any(way.base.rpartition(".")[2] in self._names for way in ways)
                }
        for key, there in found:
            looking = (*there.lines.get(STAR, {}).values(), *there.lines.get(LOOKUP, {}).values())
            lines = {line for some in looking for line in some}
            if there.readable:
                self._in_text(key, index.source(key), lines)
            else:
                self.effects.add(key[0])

    def _in_text(self, key: Key, source: bytes, lines: set[int]) -> None:
        if any(name.encode() in source for name in self._names):
            for block in parts.blocks(Block(parse(source).body, Level("module"))):
                for node in block.body:
                    if not _hands_on(outer(node), self._names):
                        continue
                    if not block.level.at_import:
                        lines.update(parts.header(node))
                        continue
                    top = {block.level.owner[0]} if block.level.owner else parts.bound(node)
                    self.bound.setdefault(key[0], set()).update(top - {"__all__"})
                    if parts.does_more(node):
                        self.effects.add(key[0])
        if lines:
            self.lines[key] = parts.lines(lines)


def add_handed(spread: Spread, path: str, names: Iterable[str]) -> None:
    """Ask for who may read annotations of ``path``, in which the functions ``names`` have some."""
    why = f"may read annotations of {path}, which are kept in another way"
    found = Handed(spread.index, names)
    if found.lines:
        spread.demand.clauses.append(Clause(why, [found.lines]))
    for where, bound in found.bound.items():
        spread.ask(where, bound, why)
    for where in found.effects:
        spread.ask(where, None, why)


def _hands_on(nodes: Iterable[ast.AST], names: set[str]) -> bool:
    """Whether one of ``names`` stands where it is not just called."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Import() | ast.ImportFrom():
                continue
            case ast.Call(func=func) if _last(func) not in READERS:
                waiting += [*node.args, *(one.value for one in node.keywords)]
                waiting += [func.value] if isinstance(func, ast.Attribute) else []
                waiting += [func] if not isinstance(func, ast.Attribute | ast.Name) else []
                continue
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=name):
                if name in names:
                    return True
            case ast.Constant(value=str(text)) if DOTTED.fullmatch(text):
                if not names.isdisjoint(text.replace(":", ".").split(".")):
                    return True
            case _:
                pass
        waiting.extend(ast.iter_child_nodes(node))
    return False


def _last(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))
