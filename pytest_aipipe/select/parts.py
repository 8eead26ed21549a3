"""The statements of Python source, and what can be said of each without running it.

A *point* is what a measurement can show: a line that ran, or the entry of a function, named
by the first line of its definition (decorators included, as ``co_firstlineno`` has it).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)

Points = tuple[frozenset[int], frozenset[int]]
"""Lines, and entries of functions."""

NOWHERE: Points = (frozenset(), frozenset())

MODULE: Points = (frozenset(), frozenset({1}))
"""The entry of a module's own code."""


class Level(NamedTuple):
    """Where a block stands: ``function`` blocks run with their test, the others at import.

    ``owner`` are the definitions around it, outermost first; ``name`` is ``module``,
    ``class`` or ``function``.
    """

    name: str
    owner: tuple[str, ...] = ()

    @property
    def at_import(self) -> bool:
        """Whether the block runs when its module is loaded."""
        return self.name != "function"


@dataclass(slots=True)
class Block:
    """Statements that run one after the other, and the points before them.

    A test that reached the first statement has reached ``guard``.
    """

    body: list[ast.stmt]
    level: Level
    guard: Points = NOWHERE


def lines(numbers: Iterable[int]) -> Points:
    """Return these lines as points; a number below zero is the entry of the code that begins there.

    What stands in a lambda is told so: its line runs when it is made, and it when it is called.
    """
    some = frozenset(numbers)
    if not some or min(some) > 0:
        return some, frozenset()
    return frozenset(n for n in some if n > 0), frozenset(-n for n in some if n < 0)


def entry(node: ast.stmt) -> Points:
    """Return the entry of the function ``node`` as a point."""
    return frozenset(), frozenset({first_line(node)})


def joined(*points: Points) -> Points:
    """Return the points of all."""
    return (
        frozenset().union(*(one for one, _ in points)),
        frozenset().union(*(two for _, two in points)),
    )


def first_line(node: ast.stmt | ast.ExceptHandler | ast.match_case) -> int:
    """Return the first line of a statement, decorators included."""
    if isinstance(node, ast.match_case):
        return node.pattern.lineno
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def header(node: ast.stmt | ast.ExceptHandler | ast.match_case) -> range:
    """Return the lines that run when control comes to ``node``: all, or those before its body."""
    start = first_line(node)
    inner = getattr(node, "body", None) or getattr(node, "cases", None)
    if not inner or not isinstance(inner, list):
        return range(start, (getattr(node, "end_lineno", start) or start) + 1)
    return range(start, max(start + 1, first_line(inner[0])))


def traced(node: ast.stmt) -> bool:
    """Whether the interpreter is sure to report a line of ``node`` when control comes to it."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Global() | ast.Nonlocal():
            return False
        case ast.AnnAssign(value=None):
            return False
        case ast.If(test=ast.Constant()) | ast.While(test=ast.Constant()):
            return False
        case _:
            return True


def children(node: ast.stmt, level: Level) -> dict[str, Block]:
    """Return the blocks inside ``node`` by the name of their field.

    The handlers of a ``try`` and the cases of a ``match`` are no statements: see
    :func:`arms`.
    """
    guard = lines(header(node))
    found: dict[str, Block] = {}
    if isinstance(node, FUNCTIONS):
        inner = Level("function", (*level.owner, node.name))
        return {"body": Block(node.body, inner, entry(node))}
    if isinstance(node, ast.ClassDef):
        name = "class" if level.at_import else "function"
        return {"body": Block(node.body, Level(name, (*level.owner, node.name)), guard)}
    for field in ("body", "orelse", "finalbody"):
        body = getattr(node, field, None)
        if isinstance(body, list):
            found[field] = Block(body, level, guard)
    return found


def arms(node: ast.stmt) -> list[ast.ExceptHandler] | list[ast.match_case]:
    """Return the handlers of a ``try``, the cases of a ``match``; nothing for the others."""
    if isinstance(node, ast.Try | ast.TryStar):
        return node.handlers
    return node.cases if isinstance(node, ast.Match) else []


def arm_block(arm: ast.ExceptHandler | ast.match_case, level: Level) -> Block:
    """Return the block of a handler or a case."""
    return Block(arm.body, level, lines(header(arm)))


def blocks(block: Block) -> Iterator[Block]:
    """Yield ``block`` and every block inside it."""
    waiting = [block]
    while waiting:
        current = waiting.pop()
        yield current
        for node in current.body:
            waiting.extend(children(node, current.level).values())
            waiting.extend(arm_block(arm, current.level) for arm in arms(node))


def is_docstring(node: ast.stmt) -> bool:
    """Whether ``node`` is a text that stands for itself."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case _:
            return False


def own_text(node: ast.AST) -> str:
    """Return what ``node`` says without the statements inside it: its header, normalised."""
    inner = {"body", "orelse", "finalbody", "handlers", "cases"}
    if not isinstance(getattr(node, "body", None), list) and not isinstance(node, ast.Match):
        return ast.dump(node)
    told = [type(node).__name__]
    for field, value in ast.iter_fields(node):
        if field in inner:
            continue
        items = value if isinstance(value, list) else [value]
        told += [ast.dump(one) if isinstance(one, ast.AST) else repr(one) for one in items]
        told.append("|")
    return " ".join(told)


def is_marked_test(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether ``node`` is called like a test, and decorated by marks and nothing else."""
    return node.name.startswith("test") and all(map(is_mark, node.decorator_list))


def is_mark(node: ast.expr) -> bool:
    """Whether a decorator only marks a test: ``pytest.mark.parametrize(...)``."""
    return ast.unparse(node).startswith("pytest.mark.")


def bound(node: ast.stmt) -> set[str]:
    """Return the names that running ``node`` binds, deletes or changes in place, inside included.

    ``REGISTRY["x"] = f`` and ``A.x = 1`` change what ``REGISTRY`` and ``A`` name.
    """
    found: set[str] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, DEFINITIONS):
            found.add(current.name)
            continue
        match current:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case (
                ast.Attribute(ctx=ast.Store() | ast.Del(), value=value)
                | ast.Subscript(ctx=ast.Store() | ast.Del(), value=value)
            ):
                found |= _root(value)
            case ast.alias(name=name, asname=asname):
                found.add(asname or name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                found.add(name)
            case ast.Lambda():
                continue  # what it binds is its own
            case ast.comprehension(iter=source, ifs=tests):
                waiting += [source, *tests]  # but for what `:=` binds, so is its target
                continue
            case _:
                pass
        waiting.extend(ast.iter_child_nodes(current))
    return found


def plain(node: ast.stmt) -> set[str]:
    """Return the names that ``node`` binds to a constant, a list, a dictionary or the like.

    Making such a value, and putting it into a class, runs no code that would learn of the name.
    """
    match node:
        case ast.Assign(targets=targets, value=value):
            pass
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            targets = [target]
        case _:
            return set()
    names = {one.id for one in targets if isinstance(one, ast.Name)}
    if len(names) < len(targets) or any(one.startswith("__") for one in names):
        return set()
    if isinstance(value, ast.UnaryOp):
        value = value.operand
    return names if isinstance(value, _PLAIN) else set()


_PLAIN = (
    ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Set, ast.Dict,
    ast.ListComp, ast.SetComp, ast.DictComp,
)  # fmt: skip
"""Expressions of which the value is of a built-in type."""


def _root(node: ast.expr) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def scope(node: ast.stmt) -> set[str]:
    """Return the names that are the function's own, and ``<yield>`` for a generator.

    One assignment at its end makes a name local in all of a function.
    """
    found: set[str] = set()
    waiting: list[ast.AST] = list(getattr(node, "body", ()))
    while waiting:
        current = waiting.pop()
        if isinstance(current, DEFINITIONS):
            found.add(current.name)
            continue
        if isinstance(current, ast.Lambda):
            continue
        if isinstance(current, ast.Yield | ast.YieldFrom):
            found.add("<yield>")
        elif isinstance(current, ast.Global | ast.Nonlocal):
            found |= {f"<outer>{name}" for name in current.names} | set(current.names)
        elif isinstance(current, ast.Name) and not isinstance(current.ctx, ast.Load):
            found.add(current.id)
        elif isinstance(current, ast.alias):
            found.add(current.asname or current.name.partition(".")[0])
        waiting.extend(ast.iter_child_nodes(current))
    return found


def loaded(node: ast.stmt) -> set[str]:
    """Return the names that are read in a function, those of ``global`` marked as in `scope`."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return names | {f"<outer>{name}" for name in names}


def does_more(node: ast.stmt) -> bool:
    """Whether running ``node`` at import can change more than the names that it binds.

    A call whose result nobody keeps is made for its effect, and an error ends the import. Inside
    a definition nothing runs at import but decorators, whose effect is on what they decorate.
    """
    waiting: list[ast.AST] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, (*DEFINITIONS, ast.Lambda)):
            continue
        if isinstance(current, ast.Raise | ast.Assert):
            return True
        if isinstance(current, ast.Expr) and not isinstance(current.value, ast.Constant):
            return True
        waiting.extend(ast.iter_child_nodes(current))
    return False


def is_for_types(node: ast.stmt) -> bool:
    """Whether ``node`` is an ``if TYPE_CHECKING`` without ``else``: it never runs."""
    match node:
        case ast.If(test=ast.Name(id=name) | ast.Attribute(attr=name), orelse=[]):
            return name == "TYPE_CHECKING"
        case _:
            return False


def is_main(node: ast.stmt) -> bool:
    """Whether ``node`` is the part of a script that no import runs."""
    match node:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__")), orelse=[]):
            return True
        case _:
            return False


def single(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return ``body`` with each import as a statement of its own: most edits only add a name."""
    found: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                fields = dict(ast.iter_fields(node)) | {"names": [alias]}
                found.append(ast.copy_location(type(node)(**fields), node))
        else:
            found.append(node)
    return found
