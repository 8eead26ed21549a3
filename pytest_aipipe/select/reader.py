"""Reads what a file mentions: in functions by line, at import by what is bound from it.

Only the text is read. A name counts as mentioned by an identifier, an attribute, an import
or a string that reads like a dotted name (a mock's target, ``getattr``); which of these can
mean the name of another file is for who asks.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import defaultdict
from typing import TYPE_CHECKING, TypeGuard

from aipipe_core.change.symbols import UnreadableSourceError, parse
from pytest_aipipe.select import parts
from pytest_aipipe.select.asking import ALL, asks_for_arguments, looks
from pytest_aipipe.select.keeping import KEEPER, Kept, kept
from pytest_aipipe.select.mentions import (
    ANY,
    ARGUMENTS,
    BY_NAME,
    BY_TEXT,
    CATCHERS,
    DOTTED,
    LOOKUP,
    OBJECT,
    OWN,
    STAR,
    VARIABLE,
    Binder,
    Function,
    Mentions,
    Way,
)
from pytest_aipipe.select.metaclasses import Own
from pytest_aipipe.select.parts import Block, Level
from pytest_aipipe.select.tables import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_aipipe.select.mentions import Told

LONG = 200
"""Texts of so many characters are prose."""
_ONE_OF = frozenset({"getattr", "hasattr", "getattr_static"})
_LOOKING = _ONE_OF | {"attrgetter", "methodcaller", "__getattribute__"}
_UNSEEING = frozenset({"dataclass", "final", "total_ordering"})
_FIELD = re.compile(r"(?<=\.)\w+(?=[^{}]*\})")
"""An attribute in a replacement field: ``"{one.name}"``."""


def read_mentions(source: bytes) -> Mentions:
    """Return what ``source`` mentions; ``readable`` is False where it cannot be parsed."""
    found = Mentions()
    try:
        tree = parse(source)
    except UnreadableSourceError:
        found.readable = False
        return found
    own = Own(tree)
    for block in parts.blocks(Block(tree.body, Level("module"))):
        for node in block.body:
            _imports(found, node)
            if isinstance(node, parts.FUNCTIONS):
                found.functions.append(_function(block.level, node, may_keep=b"global" in source))
            if not block.level.at_import:
                _in_function(found, node, own)
            elif not (parts.is_for_types(node) or parts.is_main(node)):
                _at_import(found, block.level, node)
    return found


def _function(
    level: Level, node: ast.FunctionDef | ast.AsyncFunctionDef, *, may_keep: bool
) -> Function:
    span = range(parts.first_line(node), (node.end_lineno or node.lineno) + 1)
    # What is defined inside a function is made anew with each call, and so is what it keeps.
    keeping = any(KEEPER.search(last(one)) for one in node.decorator_list)
    keeps = (keeping and level.at_import) or (
        may_keep and any(isinstance(n, ast.Global) for n in ast.walk(node))
    )
    top = level.owner[0] if level.owner else node.name
    remembers = kept(node) if level.at_import else Kept()
    return Function(node.name, top, span, keeps, remembers, len(level.owner) > 1)


def _imports(found: Mentions, node: ast.stmt) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            module = alias.name if alias.asname else name
            found.imports.setdefault(name, set()).add(Way("import", module))
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            module = f"{node.module or ''}.{alias.name}".removeprefix(".")
            way = Way("import", module, node.level)
            found.imports.setdefault(alias.asname or alias.name, set()).add(way)


def _in_function(found: Mentions, node: ast.stmt, own: Own) -> None:
    span = {*parts.header(node)}
    span.update(line for arm in parts.arms(node) for line in parts.header(arm))
    for arm in parts.arms(node):
        if isinstance(arm, ast.ExceptHandler):
            _catches(found, arm.type, parts.header(arm))
    for call in (one for top in outer(node) for one in ast.walk(top)):
        if isinstance(call, ast.Call) and last(call.func) in CATCHERS:
            for error in call.args or (None,):
                _catches(found, error, parts.header(node))
    lambdas: list[ast.Lambda] = []
    told = _mentions(outer(node), lambdas)
    looked = [*looks(outer(node))] if STAR in told else []
    if looked and all(one.is_at_an_instance or one.at in own for one in looked):
        told[OWN] = {BY_NAME}
    if looked and all(one.is_at_an_instance or one.is_at_a_variable for one in looked):
        told[VARIABLE] = {BY_NAME}
    if looked and all(one.is_at_no_module for one in looked):
        told[OBJECT] = {BY_NAME}
    if "signature" in told and asks_for_arguments(outer(node)):
        told[ARGUMENTS] = {BY_NAME}
    _note(found, told, span)
    for one in lambdas:  # grows as we go: a lambda may hold others
        _note(found, _mentions([one.body], lambdas), {-one.lineno})


def _catches(found: Mentions, error: ast.expr | None, numbers: Iterable[int]) -> None:
    for one in error.elts if isinstance(error, ast.Tuple) else [error]:
        name = last(one) if isinstance(one, ast.Name | ast.Attribute) else ANY
        found.catches.setdefault(name, set()).update(numbers)


def _note(found: Mentions, told: Told, numbers: set[int]) -> None:
    for name, ways in told.items():
        places = found.lines.setdefault(name, {})
        for way in ways:
            places.setdefault(way, set()).update(numbers)


def _at_import(found: Mentions, level: Level, node: ast.stmt) -> None:
    if isinstance(node, parts.DEFINITIONS):
        _define(found, level, node)
        return
    if isinstance(node, ast.Import | ast.ImportFrom) and len(node.names) > 1:
        for one in parts.single([node]):
            _at_import(found, level, one)
        return
    effect = parts.does_more(node)  # of a header: what it names decides whether that runs
    star = None
    if isinstance(node, ast.ImportFrom) and any(alias.name == STAR for alias in node.names):
        star = Way("import", node.module or "", node.level)
    binds = frozenset({level.owner[0]}) if level.owner else frozenset(parts.bound(node))
    makes = not isinstance(node, ast.Import | ast.ImportFrom)
    mentions = _mentions(outer(node))
    still = _still(node, mentions)
    inner = level.name == "class" and len(level.owner) == 1
    values = frozenset(parts.plain(node) if inner else ())
    noted = _noted(node, mentions)
    found.binders.append(Binder(mentions, binds, effect, star, makes, "", still, values, noted))


def _noted(node: ast.stmt, mentions: Told) -> frozenset[str]:
    """Return the names that stand in the annotation of a statement and nowhere else in it."""
    if not isinstance(node, ast.AnnAssign):
        return frozenset()
    others = _mentions(filter(None, (node.target, node.value)))
    return frozenset(mentions) - set(others)


def _still(node: ast.stmt, mentions: Told) -> frozenset[str]:
    """Return the names that a statement which is no definition calls nothing of.

    An operator calls, and so does what hashes a key.
    """
    if isinstance(node, ast.Import | ast.ImportFrom):
        return frozenset(mentions)
    value = getattr(node, "value", None)
    if not isinstance(node, ast.Assign | ast.AnnAssign) or value is None:
        return frozenset()
    still: list[ast.AST] = []
    busy: list[ast.AST] = [*(node.targets if isinstance(node, ast.Assign) else [node.target])]
    waiting: list[ast.expr] = [value]
    while waiting:
        match waiting.pop():
            case ast.Tuple(elts=some) | ast.List(elts=some):
                waiting += some
            case ast.Dict(keys=keys, values=some):
                waiting += some
                busy += [key for key in keys if key is not None and not _is_type(key)]
            case ast.Call(func=ast.Name(id="partial") | ast.Attribute(attr="partial")) as call:
                waiting += [call.func, *call.args, *(one.value for one in call.keywords)]
            case one if isinstance(one, ast.Constant) or _dotted(one):
                still.append(one)
            case one:
                busy.append(one)
    return frozenset(_mentions(still)) - set(_mentions(busy)) if still else frozenset()


def _is_type(node: ast.expr) -> bool:
    """Whether hashing a key runs no code of the project: a constant, a built-in type."""
    name = node.id if isinstance(node, ast.Name) else ""
    return isinstance(node, ast.Constant) or isinstance(getattr(builtins, name, None), type)


def _define(found: Mentions, level: Level, node: ast.stmt) -> None:
    name: str = node.name  # type: ignore[attr-defined]
    top = level.owner[0] if level.owner else name
    if isinstance(node, parts.FUNCTIONS):
        points = parts.entry(node)
        found.entries[top] = parts.joined(found.entries.get(top, parts.NOWHERE), points)
        if level.owner:
            methods = found.methods.setdefault(top, {})
            methods[name] = parts.joined(methods.get(name, parts.NOWHERE), points)
        _fixture(found, node)
    elif isinstance(node, ast.ClassDef):
        names = [last(base) for base in node.bases] + [last(k.value) for k in node.keywords]
        found.bases.setdefault(top, []).extend(names)
        methods = found.methods.setdefault(top, {})
        if not {last(one) for one in node.decorator_list} <= _UNSEEING or any(
            last(k.value) != "ABCMeta" for k in node.keywords
        ):
            found.shaped.add(top)
    plain = isinstance(node, parts.FUNCTIONS) and level.owner and not node.decorator_list
    method = name if plain else ""
    marked = isinstance(node, parts.FUNCTIONS) and level.owner and parts.is_marked_test(node)
    test = name if marked else ""
    mentions = _mentions(outer(node))
    tables = _tables(node) if isinstance(node, parts.FUNCTIONS) else {}
    binds = frozenset({top})
    found.binders.append(Binder(mentions, binds, method=method, test=test, tables=tables))


def _tables(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, tuple[str, ...]]:
    """Return the names that stand once in the header of a test, for the rows of a mark."""
    if not parts.is_marked_test(node):
        return {}
    told = [last(one) for top in outer(node) for one in ast.walk(top) if _names_something(one)]
    return {
        name: some for name, some in tables_of(node.decorator_list).items() if told.count(name) == 1
    }


def _names_something(node: ast.AST) -> TypeGuard[ast.expr]:
    return isinstance(node, ast.Name | ast.Attribute)


def _fixture(found: Mentions, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Note a fixture under its function's name and under the one that it is given."""
    for one in node.decorator_list:
        if not last(one).endswith("fixture"):
            continue
        found.fixtures.add(node.name)
        for keyword in getattr(one, "keywords", ()):
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else True
            if keyword.arg == "scope":
                found.shared.append(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            if keyword.arg == "name":
                found.fixtures.add(str(value))
            if keyword.arg == "autouse" and value:
                found.autouse.add(node.name)


def last(node: ast.expr) -> str:
    """Return the last name of what a decorator or a base is called, "?" where it has none."""
    while isinstance(node, ast.Subscript | ast.Call):
        node = node.value if isinstance(node, ast.Subscript) else node.func
    return str(getattr(node, "attr", getattr(node, "id", "?")))


def outer(node: ast.stmt) -> Iterator[ast.AST]:
    """Yield what stands in ``node`` itself, without the statements inside.

    A function's annotations are left out: what they name is not used by running it.
    """
    if isinstance(node, parts.FUNCTIONS):
        arguments = node.args
        yield from node.decorator_list
        yield from filter(None, (*arguments.defaults, *arguments.kw_defaults))
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
        return
    for name, value in ast.iter_fields(node):
        if name in ("body", "orelse", "finalbody"):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.ExceptHandler):
                yield from filter(None, [one.type])
            elif isinstance(one, ast.match_case):
                yield from filter(None, (one.pattern, one.guard))
            elif isinstance(one, ast.AST):
                yield one


def _dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` for what reads so, "" for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def _mentions(nodes: Iterable[ast.AST], lambdas: list[ast.Lambda] | None = None) -> Told:
    """Return what ``nodes`` mention; what lambdas do, only where no list is given for them."""
    found: Told = defaultdict(set)
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Name(id=name):
                found[STAR if name in ALL else name].add(BY_NAME)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
                told = args[1:2] if name in _ONE_OF else args
                if name in _LOOKING and not all(isinstance(one, ast.Constant) for one in told):
                    found[LOOKUP].add(BY_NAME)
            case ast.Attribute(attr=name, value=value):
                base = _dotted(value)
                found[STAR if name in ALL else name].add(Way("attribute", base))
                found[name].add(Way("attribute", base))
            case ast.ImportFrom(module=module, names=names, level=level):
                for alias in names:
                    found[alias.name].add(Way("import", module or "", level))
            case ast.MatchClass(kwd_attrs=names):
                for name in names:
                    found[name].add(Way("attribute"))
            case ast.Constant(value=str(text)) if len(text) < LONG:
                for part in _FIELD.findall(text):
                    found[part].add(BY_TEXT)
                found[text.rpartition("/")[2]].add(BY_TEXT)  # it may name a file
                for part in re.split(r"[.:]", text) if DOTTED.fullmatch(text) else ():
                    found[part].add(BY_TEXT)
            case ast.Lambda(args=arguments) if lambdas is not None:
                lambdas.append(node)
                waiting.extend(filter(None, (*arguments.defaults, *arguments.kw_defaults)))
                continue
            case _:
                pass
        waiting.extend(ast.iter_child_nodes(node))
    found.pop("", None)
    return dict(found)
