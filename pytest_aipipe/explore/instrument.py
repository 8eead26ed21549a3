"""A candidate's test made to tell: asserts become observations, the end is looked at.

Only the tree that is run is changed; the source that is written stays as it is.
"""

from __future__ import annotations

import ast
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax
from pytest_aipipe.explore.fact import Fact
from pytest_aipipe.explore.held import Known, attributes_of
from pytest_aipipe.explore.looked import looked_at, written
from pytest_aipipe.explore.values import facts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

PROBE = "__aipipe_probe__"
MAX_FACTS = 40
_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


class Probe:
    """Collects what one run of a candidate shows; lives in the candidate's module.

    ``aside`` opens a block whose code does not count as run by the candidate: to look at a
    property runs it, though the test that is written later may never ask for it. ``sets`` are
    the attributes that the test itself assigns, ``inside`` the names of the objects whose
    private attributes or methods it uses.
    """

    def __init__(
        self,
        observe: tuple[str, ...],
        *,
        look: bool,
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.observe = observe
        self.look = look
        self.sets: frozenset[str] = frozenset()
        self.inside: frozenset[str] = frozenset()
        self.aside = aside
        self.checks: list[dict[str, Any]] = []
        self.facts: dict[str, list[dict[str, Any]]] = {}
        self.made: dict[str, dict[str, str]] = {}
        self.reached_end = False

    def check(self, line: int, held: Any, operator: str, code: str, seen: Any) -> None:
        """Note whether the assertion on ``line`` held, and what it looked at: source and value."""
        entry: dict[str, Any] = {"line": line, "held": bool(held), "op": operator}
        if not held and code:
            with self.aside():
                entry["facts"] = _plain(facts_of(code, seen))
        self.checks.append(entry)

    def born(self, name: str, value: Any) -> None:
        """Note what the object holds that was bound to ``name`` just now."""
        if self.look:
            with self.aside():
                known = Known(sets=self.sets, inside=self.inside)
                self.made[name] = attributes_of(name, value, known)

    def end(self, names: dict[str, Any], module: dict[str, Any]) -> None:
        """Look at the observed expressions, and the local names where none are given."""
        self.reached_end = True
        if self.look:
            with self.aside():
                self._look(names, module)

    def _look(self, names: dict[str, Any], module: dict[str, Any]) -> None:
        scope = {**module, **names}
        own = {id(v): n for n, v in reversed(names.items()) if n != "self" and _has_identity(v)}
        known = Known(own, self.sets, self.inside, self.made)
        for expression in self.observe:
            try:
                value = eval(expression, scope)  # noqa: S307 - the candidate's own expression
            except Exception:  # noqa: S112 - what cannot be evaluated is not asserted
                continue
            self._note(expression, value, known)
        first: dict[int, str] = {}
        for name, value in names.items():
            if name in self.facts or name.startswith("_") or name == "self":
                continue
            earlier = first.setdefault(id(value), name)
            if earlier != name and _has_identity(value):
                self.facts[name] = _plain([Fact(f"assert {name} is {earlier}")])
            else:
                self._note(name, value, known)

    def _note(self, expression: str, value: Any, known: Known) -> None:
        self.facts[expression] = _plain(facts_of(expression, value, known))[:MAX_FACTS]


def _has_identity(value: object) -> bool:
    """Whether being the very same object says something: not so for plain constants."""
    return not isinstance(value, str | bytes | int | float | complex | type | type(None) | tuple)


def _plain(facts: list[Any]) -> list[dict[str, Any]]:
    return [{"code": f.code, "imports": list(f.imports), "strength": f.strength} for f in facts]


def _probe_call(method: str, *args: ast.expr) -> ast.expr:
    function = ast.Attribute(ast.Name(PROBE, ast.Load()), method, ast.Load())
    return ast.Call(function, list(args), [])


class _Bound(ast.NodeTransformer):
    """Binds one expression to a name, where it stands."""

    def __init__(self, wanted: ast.expr, name: str) -> None:
        self.wanted = wanted
        self.name = name

    def visit(self, node: ast.AST) -> Any:
        if node is self.wanted:
            return ast.NamedExpr(ast.Name(self.name, ast.Store()), self.wanted)
        return self.generic_visit(node)


class _Asserts(ast.NodeTransformer):
    """Turns ``assert`` into a call of the probe that lets the test go on."""

    def visit_Assert(self, node: ast.Assert) -> Any:
        subject = looked_at(node.test)
        operator = ""
        if isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
            operator = _OPERATORS[type(node.test.ops[0])]
        held, code = node.test, ""
        seen: ast.expr = ast.Constant(value=None)
        if subject is not None:
            name = f"_aipipe_left_{node.lineno}"
            held = _Bound(subject, name).visit(node.test)
            code, seen = written(subject), ast.Name(name, ast.Load())
        arguments = [
            ast.Constant(node.lineno),
            held,
            ast.Constant(operator),
            ast.Constant(code),
            seen,
        ]
        replaced = ast.Expr(_probe_call("check", *arguments))
        return ast.fix_missing_locations(ast.copy_location(replaced, node))

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815
    visit_Lambda = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815


def test_functions(tree: ast.Module, name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the test's own functions: the one called ``name``, or the methods of that class."""
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return [node]
        if isinstance(node, ast.ClassDef) and node.name == name:
            return [
                one
                for one in node.body
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
                and one.name.startswith("test")
            ]
    return []


def instrument(source: str, name: str) -> ast.Module:
    """Return the tree of ``source`` in which the test called ``name`` tells the probe."""
    tree = syntax.parse(source)
    for function in test_functions(tree, name):
        body = [_Asserts().visit(one) for one in function.body]
        function.body = [told for one in body for told in (one, *_births(one))]
        names = ast.Call(ast.Name("locals", ast.Load()), [], [])
        module = ast.Call(ast.Name("globals", ast.Load()), [], [])
        end = ast.Expr(_probe_call("end", names, module))
        function.body.append(ast.copy_location(end, function.body[-1]))
        # The end is no line of the test: a failure in it must not be taken for the last statement.
    return ast.fix_missing_locations(tree)


def _births(node: ast.stmt) -> list[ast.stmt]:
    """Return the statement that tells the probe of an object that ``node`` made and named."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call | ast.Await):
        return []
    return [
        ast.copy_location(
            ast.Expr(_probe_call("born", ast.Constant(one.id), ast.Name(one.id, ast.Load()))), node
        )
        for one in node.targets
        if isinstance(one, ast.Name)
    ]


def attributes_set(tree: ast.Module) -> frozenset[str]:
    """Return the names of the attributes that a test assigns: ``bar._done = 3``."""
    return frozenset(
        one.attr
        for one in ast.walk(tree)
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)
    )


def entered(tree: ast.Module) -> frozenset[str]:
    """Return the names of the objects whose private side a test uses: ``bar._update(3)``."""
    return frozenset(
        one.value.id
        for one in ast.walk(tree)
        if isinstance(one, ast.Attribute)
        and isinstance(one.value, ast.Name)
        and one.attr.startswith("_")
        and not one.attr.startswith("__")
    )
