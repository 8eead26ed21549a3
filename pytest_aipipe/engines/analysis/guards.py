"""The conditions that must hold for a line or a branch to run, read off the syntax tree."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_aipipe.engines.analysis.module import ModuleView
    from pytest_aipipe.generate.model import Arc

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Module)


@dataclass(frozen=True, slots=True)
class Condition:
    """``test`` must be true (``wanted``) or false where it stands."""

    test: ast.expr
    wanted: bool


@dataclass(frozen=True, slots=True)
class Guards:
    """What must happen on the way to a place.

    ``conditions`` are outermost first. ``loops`` are the loops whose body must be entered;
    ``handlers`` the except clauses that must be taken, each with its ``try``.
    """

    conditions: tuple[Condition, ...]
    loops: tuple[ast.For | ast.AsyncFor | ast.While, ...]
    handlers: tuple[tuple[ast.Try, ast.ExceptHandler], ...]
    empty_loops: tuple[ast.For | ast.AsyncFor, ...] = ()


def guards_of_line(module: ModuleView, line: int) -> Guards:
    """Return what must hold for the statement on ``line`` to run."""
    node = _statement_at(module, line)
    return _guards(module, node) if node is not None else Guards((), (), ())


def guards_of_branch(module: ModuleView, arc: Arc) -> Guards:
    """Return what must hold for the branch ``arc`` to be taken."""
    source, target = arc
    node = _statement_at(module, source)
    if node is None:
        return Guards((), (), ())
    outer = _guards(module, node)
    if isinstance(node, ast.If | ast.While):
        wanted = _first_line(node.body) == target
        test = Condition(node.test, wanted)
        loops = outer.loops
        if isinstance(node, ast.While) and wanted:
            loops = (*loops, node)
        return Guards((*outer.conditions, test), loops, outer.handlers)
    if isinstance(node, ast.For | ast.AsyncFor):
        if _first_line(node.body) == target:
            return Guards(outer.conditions, (*outer.loops, node), outer.handlers)
        return Guards(outer.conditions, outer.loops, outer.handlers, (node,))
    return outer


def _statement_at(module: ModuleView, line: int) -> ast.AST | None:
    found = module.statements.get(line)
    if found is not None:
        return found
    handlers = (n for n in ast.walk(module.tree) if isinstance(n, ast.ExceptHandler))
    for handler in handlers:
        if handler.lineno == line:
            return handler
    spanning = [
        n
        for n in module.statements.values()
        if n.lineno <= line <= (n.end_lineno or n.lineno) and not isinstance(n, _SCOPES)
    ]
    return max(spanning, key=lambda n: n.lineno, default=None)


def _guards(module: ModuleView, node: ast.AST) -> Guards:
    conditions: list[Condition] = []
    loops: list[ast.For | ast.AsyncFor | ast.While] = []
    handlers: list[tuple[ast.Try, ast.ExceptHandler]] = []
    while not isinstance(node, _SCOPES) or not conditions:
        parent = module.parents.get(node)
        if parent is None:
            break
        conditions = [*_early_exits(parent, node), *conditions]
        if isinstance(parent, ast.If | ast.While | ast.IfExp) and node is not parent.test:
            inside = node in parent.body if isinstance(parent.body, list) else node is parent.body
            conditions.insert(0, Condition(parent.test, inside))
        if isinstance(parent, ast.For | ast.AsyncFor | ast.While) and node in parent.body:
            loops.insert(0, parent)
        if isinstance(node, ast.ExceptHandler) and isinstance(parent, ast.Try):
            handlers.insert(0, (parent, node))
        node = parent
        if isinstance(node, _SCOPES):
            break
    return Guards(tuple(conditions), tuple(loops), tuple(handlers))


def _early_exits(parent: ast.AST, node: ast.AST) -> list[Condition]:
    """Return what earlier siblings that leave the block ask for: ``if c: return`` means not c."""
    found: list[Condition] = []
    for block in _blocks(parent):
        if node not in block:
            continue
        for earlier in block[: block.index(node)]:
            if isinstance(earlier, ast.If):
                found += _passing(earlier)
    return found


def _passing(choice: ast.If) -> list[Condition]:
    """Return what must hold for an ``if`` with its ``elif`` not to leave the block."""
    onward = bool(choice.orelse) and leaves(choice.orelse)
    if not leaves(choice.body):
        return [Condition(choice.test, wanted=True)] if onward else []
    if onward:
        return []
    found = [Condition(choice.test, wanted=False)]
    if len(choice.orelse) == 1 and isinstance(choice.orelse[0], ast.If):
        found += _passing(choice.orelse[0])
    return found


def _blocks(parent: ast.AST) -> list[list[ast.AST]]:
    names = ("body", "orelse", "finalbody")
    blocks = (getattr(parent, name, None) for name in names)
    return [block for block in blocks if isinstance(block, list)]


def leaves(block: list[ast.stmt]) -> bool:
    """Whether a block always ends in return, raise, continue or break."""
    last = block[-1] if block else None
    if isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break):
        return True
    return isinstance(last, ast.If) and leaves(last.body) and leaves(last.orelse)


def _first_line(block: list[ast.stmt]) -> int:
    first = block[0]
    decorators: list[ast.expr] = getattr(first, "decorator_list", [])
    return min([first.lineno, *(d.lineno for d in decorators)])


def atoms(condition: Condition) -> list[Condition]:
    """Split ``and``, ``or``, ``not`` into the atoms that would do; of an ``or``, each option."""
    test, wanted = condition.test, condition.wanted
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return atoms(Condition(test.operand, not wanted))
    if isinstance(test, ast.BoolOp):
        return [atom for value in test.values for atom in atoms(Condition(value, wanted))]
    if isinstance(test, ast.NamedExpr):
        return [condition, *atoms(Condition(test.value, wanted))]
    return [condition]


def demands(condition: Condition) -> list[Condition]:
    """Split a condition into those that must all hold for it to be as it is wanted."""
    test, wanted = condition.test, condition.wanted
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return demands(Condition(test.operand, not wanted))
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) == wanted:
        return [one for value in test.values for one in demands(Condition(value, wanted))]
    return [condition]
