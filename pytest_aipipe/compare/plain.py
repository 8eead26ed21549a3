"""Existing tests in a form that can be compared: plain asserts, and expressions to look at."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_aipipe.engines.analysis.module import FunctionNode
    from pytest_aipipe.explore.fact import Fact
    from pytest_aipipe.generate.model import Candidate

MOST_LOOKED_AT = 10

_COMPARISONS: dict[str, ast.cmpop] = {
    "assertEqual": ast.Eq(),
    "assertEquals": ast.Eq(),
    "assertNotEqual": ast.NotEq(),
    "assertIs": ast.Is(),
    "assertIsNot": ast.IsNot(),
    "assertIn": ast.In(),
    "assertNotIn": ast.NotIn(),
    "assertGreater": ast.Gt(),
    "assertGreaterEqual": ast.GtE(),
    "assertLess": ast.Lt(),
    "assertLessEqual": ast.LtE(),
    "assertListEqual": ast.Eq(),
    "assertDictEqual": ast.Eq(),
    "assertTupleEqual": ast.Eq(),
    "assertSetEqual": ast.Eq(),
    "assertMultiLineEqual": ast.Eq(),
}


class _Plain(ast.NodeTransformer):
    """Writes ``self.assertEqual(a, b)`` as ``assert a == b``, which goes on when it fails."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Rewrite one statement."""
        test = _asserted(node.value)
        return node if test is None else ast.copy_location(ast.Assert(test=test), node)


def _asserted(node: ast.expr) -> ast.expr | None:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name), args=args):
            if name in _COMPARISONS and len(args) > 1:
                return ast.Compare(args[0], [_COMPARISONS[name]], [args[1]])
            if name in {"assertTrue", "assertFalse"} and args:
                kept = args[0]
                return kept if name == "assertTrue" else ast.UnaryOp(ast.Not(), kept)
            if name in {"assertIsNone", "assertIsNotNone"} and args:
                op: ast.cmpop = ast.Is() if name == "assertIsNone" else ast.IsNot()
                return ast.Compare(args[0], [op], [ast.Constant(None)])
    return None


def plain_asserts(function: FunctionNode) -> FunctionNode:
    """Return a copy in which unittest's comparing methods are ``assert`` statements."""
    made = _Plain().visit(clone(function))
    fixed: FunctionNode = ast.fix_missing_locations(made)
    return fixed


def with_looks(candidate: Candidate, function: FunctionNode) -> Candidate:
    """Return the candidate with more expressions of its own to look at when it has ended."""
    looks = (*candidate.observe, *looked_at(function))
    return replace(candidate, observe=tuple(dict.fromkeys(looks))[:MOST_LOOKED_AT])


def looked_at(function: FunctionNode) -> list[str]:
    """Return expressions over the test's local names whose values its end can tell.

    These are what its assertions are about, and the attributes, items and calls that it
    asks of its objects. What a test does to its objects is not done again: a call is taken
    only from within an assertion.
    """
    bound = _bound_once(function)
    found: dict[str, None] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            for inner in _operands(node.test):
                if _over(inner, bound):
                    found[ast.unparse(inner)] = None
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Attribute | ast.Subscript)
            and isinstance(node.ctx, ast.Load)
            and _over(node, bound)
        ):
            found[ast.unparse(node)] = None
    return list(found)


def _operands(test: ast.expr) -> Iterable[ast.expr]:
    if isinstance(test, ast.Compare):
        return [test.left, *test.comparators]
    if isinstance(test, ast.BoolOp):
        return [inner for value in test.values for inner in _operands(value)]
    return [test]


def _bound_once(function: FunctionNode) -> set[str]:
    """Return the names that the end of the function sees with the value they always had."""
    stored = [
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    names = {name for name in stored if stored.count(name) == 1}
    return names | {a.arg for a in function.args.args if a.arg not in {"self", "cls"}}


def _over(node: ast.expr, names: set[str]) -> bool:
    if isinstance(node, ast.Constant | ast.Name):
        return False
    inner = list(ast.walk(node))
    if any(isinstance(n, ast.Await | ast.Yield | ast.NamedExpr | ast.Lambda) for n in inner):
        return False
    used = {n.id for n in inner if isinstance(n, ast.Name)}
    return bool(used & names) and "self" not in used


def written_out(
    function: FunctionNode, facts: Mapping[str, tuple[Fact, ...]]
) -> FunctionNode | None:
    """Return a copy in which texts that calls gave are literals, as they were seen; or None.

    ``facts`` are those of the function's local names at its end.
    """
    made = clone(function)
    bound = _bound_once(function)
    changed = False
    for node in made.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        (target, *others) = node.targets
        if others or not isinstance(target, ast.Name) or target.id not in bound:
            continue
        value = _seen_text(target.id, facts.get(target.id, ()))
        if value is not None:
            node.value = ast.Constant(value)
            changed = True
    return ast.fix_missing_locations(made) if changed else None


def _seen_text(name: str, facts: tuple[Fact, ...]) -> str | None:
    for fact in facts[:1]:
        prefix = f"assert {name} == "
        try:
            value = syntax.literal(fact.code.removeprefix(prefix))
        except (ValueError, SyntaxError):
            return None
        if fact.code.startswith(prefix) and isinstance(value, str):
            return value
    return None
