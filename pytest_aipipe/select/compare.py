"""What the difference of two versions of a file means for who ran the older one.

The versions are compared as trees of statements, so that comments, layout and moved
functions mean nothing. Where statements of a function differ, the answer is the points of
the old version that a test must have run to notice: the changed statement, or what stands in
front of a place where something was put in. What runs at import is answered by the names
whose value may differ; who uses a name is another module's question
(:mod:`pytest_aipipe.select.spread`).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from aipipe_core.change.symbols import UnreadableSourceError, parse, text_of
from pytest_aipipe.select import futures, parts, signatures, tables, values
from pytest_aipipe.select.align import paired, text, unequal
from pytest_aipipe.select.impact import Impact
from pytest_aipipe.select.parts import Block, Level, Points
from pytest_aipipe.select.stars import differing
from pytest_aipipe.select.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

IMPLICIT = frozenset(
    {"setUp", "tearDown", "setUpClass", "tearDownClass", "setup_method", "teardown_method"}
    | {"setup_class", "teardown_class", "setup", "teardown", "setUpModule", "tearDownModule"}
    | {"setup_module", "teardown_module", "setup_function", "teardown_function"}
    | {"asyncSetUp", "asyncTearDown"}
)
"""Functions that a test runner calls without any code naming them."""


def compare(old: bytes, new: bytes, *, past: bool = False) -> Impact:
    """Return what turning ``old`` into ``new`` means, in points and names of ``old``.

    ``past`` says that ``new`` is a version of before, which will not run.
    """
    impact = Impact()
    if old == new:
        return impact
    try:
        before, after = parse(old), parse(new)
        texts = text_of(old), text_of(new)
    except UnreadableSourceError as error:
        impact.whole = f"cannot be read ({error})"
        return impact
    features = futures.differing(before, after)
    if features:
        evaluates = not past and futures.KEPT_AS_TEXT not in futures.taken(after)
        if evaluates or features != {futures.KEPT_AS_TEXT}:
            impact.whole = "changes what it takes from __future__"
            return impact
        futures.kept_as_text(impact, before)
    _Comparison(impact, *(text.split("\n") for text in texts), is_now=not past).of(
        Block(before.body, Level("module")), after.body
    )
    return impact


@dataclass(slots=True)
class _Region:
    """Neighbours that have no equal on the other side: ``old[start:end]`` by ``new``."""

    start: int
    end: int
    new: list[ast.stmt]


class _Comparison:
    def __init__(self, impact: Impact, old: list[str], new: list[str], *, is_now: bool) -> None:
        self.impact, self._old, self._new = impact, old, new
        self._is_now = is_now

    def of(self, old: Block, new: list[ast.stmt]) -> None:
        """Add what differs between a block and its other version."""
        regions = self._regions(old.body, new)
        if not regions:
            return
        if old.level.at_import:
            self._at_import(old, regions)
            return
        for region in regions:
            self._in_function(old, region)

    def _regions(self, old: list[ast.stmt], new: list[ast.stmt]) -> list[_Region]:
        """Align by text first, which is cheap, then what is left by its tree."""
        found = []
        texts = [text(self._old, node) for node in old], [text(self._new, node) for node in new]
        for start, end, first, last in unequal(*texts):
            trees = (
                [ast.dump(one) for one in old[start:end]],
                [ast.dump(n) for n in new[first:last]],
            )
            for a, b, c, d in unequal(*trees):
                found.append(_Region(start + a, start + b, new[first + c : first + d]))
        return found

    # What runs with a test

    def _in_function(self, block: Block, region: _Region) -> None:
        mine = block.body[region.start : region.end]
        pairs, gone, come = paired(mine, region.new)
        for old, new in pairs:
            self._inside(block, old, new)
        gone = [node for node in gone if not parts.is_docstring(node)]
        come = [node for node in come if not parts.is_docstring(node)]
        for node in gone:
            self._reached(block, block.body.index(node))
        if come:
            self._reached(block, region.start)

    def _inside(self, block: Block, old: ast.stmt, new: ast.stmt) -> None:
        """Compare two versions of a statement that holds statements."""
        self._scope(old, new)
        if parts.own_text(old) != parts.own_text(new):
            self._reached(block, block.body.index(old))
        self._blocks_of(block.level, old, new)
        before, after = parts.arms(old), parts.arms(new)
        self._arms(block.level, old, before, after)

    def _scope(self, old: ast.stmt, new: ast.stmt) -> None:
        """What holds for a whole function, wherever the statement stands that says so."""
        if isinstance(old, parts.FUNCTIONS) and isinstance(new, parts.FUNCTIONS):
            differ = parts.scope(old) ^ parts.scope(new)
            # A statement that is the same on both sides reads only what both sides read.
            if differ & (parts.loaded(old) & parts.loaded(new) | {"<yield>"}):
                self.impact.add(parts.entry(old))

    def _blocks_of(self, level: Level, old: ast.stmt, new: ast.stmt) -> None:
        mine, theirs = parts.children(old, level), parts.children(new, level)
        for name, block in mine.items():
            other = theirs[name].body if name in theirs else []
            self.of(block, other)

    def _arms(
        self,
        level: Level,
        node: ast.stmt,
        before: Sequence[ast.ExceptHandler | ast.match_case],
        after: Sequence[ast.ExceptHandler | ast.match_case],
    ) -> None:
        """Compare handlers or cases: control comes to them from top to bottom."""
        told = [parts.own_text(arm) for arm in before], [parts.own_text(arm) for arm in after]
        for tag, a, b, c, d in SequenceMatcher(None, *told, autojunk=False).get_opcodes():
            for old, new in zip(before[a:b], after[c:d], strict=False):
                self.of(parts.arm_block(old, level), new.body)
            if tag == "equal":
                continue
            for arm in before[a:b]:
                self.impact.add(parts.lines(parts.header(arm)))
            if tag == "insert":
                following = parts.header(before[a] if a < len(before) else node)
                self.impact.add(parts.lines(following))

    def _reached(self, block: Block, at: int) -> None:
        """Add the points of who came to the ``at``-th statement, or to the end of the block."""
        impact = self.impact
        if at < len(block.body) and parts.traced(block.body[at]):
            impact.add(self._points(block, block.body[at]))
            return
        for node in reversed(block.body[:at]):
            if parts.traced(node):
                impact.add(self._points(block, node))
                return
        impact.add(block.guard)

    @staticmethod
    def _points(block: Block, node: ast.stmt) -> Points:
        """Return the points of ``node``; the entry as well, where a ``def`` shares its line."""
        span = parts.lines(parts.header(node))
        return parts.joined(span, block.guard) if block.guard[1] & span[0] else span

    # What runs at import

    def _at_import(self, block: Block, regions: list[_Region]) -> None:
        old = [node for region in regions for node in block.body[region.start : region.end]]
        new = [node for region in regions for node in region.new]
        pairs, gone, come = paired(parts.single(old), parts.single(new), anywhere=True)
        before = {name for node in block.body for name in parts.bound(node)}
        for mine, theirs in pairs:
            self._definition(block.level, mine, theirs)
        if block.level.name == "module":
            stars, gone, come = differing(gone, come)
            self.impact.stars += stars
            self._lists(gone, come)
        plain = values.only(block.level, gone, come)
        self.impact.values |= {(block.level.owner[0], name) for name in plain}
        gone, come = values.without(plain, gone), values.without(plain, come)
        told = {ast.dump(node) for node in gone} & {ast.dump(node) for node in come}
        for node in gone:
            if not (_is_movable(node) and ast.dump(node) in told):
                self._lost(block.level, node)
        for node in come:
            if not (_is_movable(node) and ast.dump(node) in told):
                self._gained(block.level, node, before)

    def _definition(self, level: Level, old: ast.stmt, new: ast.stmt) -> None:
        same = parts.own_text(old) == parts.own_text(new)
        if same and (parts.is_for_types(old) or parts.is_main(old)):
            self.impact.script |= parts.is_main(old) and ast.dump(old) != ast.dump(new)
            return
        if not isinstance(old, parts.DEFINITIONS):
            if not same:
                self._lost(level, old)
                self._lost(level, new)
                return
            self._blocks_of(level, old, new)
            self._arms(level, old, parts.arms(old), parts.arms(new))
            if parts.arms(old) and [ast.dump(a) for a in parts.arms(old)] != [
                ast.dump(a) for a in parts.arms(new)
            ]:
                self._lost(level, old)
            return
        if not same and not (self._is_signed(level, old, new) or self._is_table(level, old, new)):
            self._header(level, old, new)
        if isinstance(old, parts.FUNCTIONS) and _is_hook(old.name):
            self.impact.hooks.add(old.name)
        self._scope(old, new)
        self._blocks_of(level, old, new)
        if ast.get_docstring(old, clean=False) != ast.get_docstring(new, clean=False):  # type: ignore[arg-type]
            self._told(level, old)

    def _is_signed(self, level: Level, old: ast.stmt, new: ast.stmt) -> bool:
        """Note a function that takes other arguments, and is otherwise the same to its users.

        Of another annotation those who enter it do not know.
        """
        name: str = (*level.owner, getattr(old, "name", ""))[0]
        if signatures.differ_in_annotations(level, old, new):
            self.impact.annotated.add(name)
            return True
        if not signatures.differ(level, old, new):
            return False
        self.impact.add(parts.entry(old))
        self.impact.signed.setdefault(name, set()).update(signatures.words(old, new))
        return True

    def _is_table(self, level: Level, old: ast.stmt, new: ast.stmt) -> bool:
        """Note a test of which only rows of its tables differ from what runs now."""
        found = tables.changed(old, new) if self._is_now and len(level.owner) < 2 else None  # noqa: PLR2004
        if found is None or level.name not in ("module", "class"):
            return False
        key = (level.owner[0] if level.owner else "", getattr(old, "name", ""))
        self.impact.tables.setdefault(key, []).extend(found)
        return True

    def _lists(self, gone: Sequence[ast.stmt], come: Sequence[ast.stmt]) -> None:
        """Note what differs in lists of the module that a test may take its rows from."""
        before, now = tables.written(gone), tables.written(come)
        if self._is_now:
            some = before.keys() & now.keys()
            self.impact.lists |= {name: Table((), before[name], now[name]) for name in some}

    def _header(self, level: Level, node: ast.stmt, new: ast.stmt | None = None) -> None:
        """A definition whose decorators, signature or bases differ; without ``new`` it is gone."""
        name = getattr(node, "name", "")
        if isinstance(node, parts.FUNCTIONS):
            self.impact.add(parts.entry(node))
        if level.name == "class" and isinstance(node, parts.FUNCTIONS):
            if _is_implicit(name) or not _is_called_as_it_is(node, new):
                self.impact.names.add(level.owner[0])
            else:
                self.impact.methods.add((level.owner[0], name))
            return
        self._names(level, {name})

    def _told(self, level: Level, node: ast.stmt) -> None:
        """A docstring differs: whoever hands the definition to a decorator may show it."""
        name: str = (*level.owner, getattr(node, "name", ""))[0]
        told = {getattr(one, "id", "?") for one in getattr(node, "decorator_list", ())}
        if told <= (signatures.BARE if level.name == "class" else set()):
            self.impact.described.add(name)
        else:
            self._names(level, {name})

    def _documented(self, level: Level) -> None:
        """The text of the module or of a class is gone, or new."""
        if level.owner:
            self.impact.described.add(level.owner[0])
        else:
            self.impact.names.add("__doc__")

    def _lost(self, level: Level, node: ast.stmt) -> None:
        """A statement of the module or of a class is gone, or differs."""
        if parts.is_for_types(node) or parts.is_main(node):
            self.impact.script |= parts.is_main(node)
            return
        if parts.is_docstring(node):
            self._documented(level)
            return
        if isinstance(node, parts.FUNCTIONS):
            if _is_hook(node.name):
                self.impact.hooks.add(node.name)
            self._header(level, node)
            return
        self._effects(level, node)
        self._names(level, parts.bound(node))

    def _gained(self, level: Level, node: ast.stmt, before: set[str]) -> None:
        if parts.is_for_types(node) or parts.is_main(node):
            self.impact.script |= parts.is_main(node)
            return
        if parts.is_docstring(node):
            self._documented(level)
            return
        names = parts.bound(node)
        if isinstance(node, parts.FUNCTIONS) and _is_hook(node.name):
            self.impact.hooks.add(node.name)
        self._effects(level, node)
        if level.name == "class":
            self._new_member(level, node, names)
        elif isinstance(node, parts.DEFINITIONS) and node.decorator_list:
            self._names(level, names)
        else:
            self.impact.names |= names & before
            self.impact.added |= names - before

    def _new_member(self, level: Level, node: ast.stmt, names: set[str]) -> None:
        """A class gets something more: nobody asked for it, unless it was inherited."""
        if isinstance(node, parts.FUNCTIONS) and not _is_implicit(node.name):
            plain = {"property", "staticmethod", "classmethod", "override"}
            told = {getattr(one, "id", getattr(one, "attr", "?")) for one in node.decorator_list}
            if told <= plain or all(map(parts.is_mark, node.decorator_list)):
                self.impact.methods |= {(level.owner[0], name) for name in names}
                return
        self._names(level, names)

    def _effects(self, level: Level, node: ast.stmt) -> None:
        if parts.does_more(node) and not self.impact.whole:
            self.impact.whole = f"runs line {node.lineno} for its effect when it is imported"
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            self.impact.whole = "imports whatever another module names"
        if level.name == "module" and "__getattr__" in parts.bound(node):
            self.impact.whole = "answers for names that it does not bind"

    def _names(self, level: Level, names: set[str]) -> None:
        """Note that ``names`` may differ; in a class it is the outermost class that does."""
        self.impact.names |= {level.owner[0]} if level.owner else names


def _is_hook(name: str) -> bool:
    return name.startswith("pytest_")


def _is_called_as_it_is(node: ast.stmt, new: ast.stmt | None) -> bool:
    """Whether no decorator does more with a method, before or after, than to call it.

    A mark is read by who runs the test that has it, and a test is its own.
    """
    before = getattr(node, "decorator_list", [])
    after = before if new is None else getattr(new, "decorator_list", [])
    if all(map(parts.is_mark, (*before, *after))):
        return not before or getattr(node, "name", "").startswith("test")
    same = new is not None and [*map(ast.dump, before)] == [*map(ast.dump, after)]
    return same and {getattr(one, "id", "") for one in before} <= signatures.BARE


def _is_implicit(name: str) -> bool:
    """Whether ``name`` is called without being named: special methods, set-up of tests."""
    return name in IMPLICIT or (name.startswith("__") and name.endswith("__"))


def _is_movable(node: ast.stmt) -> bool:
    """Whether it does not matter where in its block ``node`` stands."""
    return isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef)
