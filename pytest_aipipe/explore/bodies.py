"""The body of a test as something to run again and again, under pytest or unittest."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import unittest


class Case:
    """A test of a ``unittest.TestCase``, with a fresh instance for each call."""

    def __init__(self, owner: type[unittest.TestCase], name: str) -> None:
        self.owner = owner
        self.name = name
        self.instance = None
        self.funcargs: dict[str, Any] = {}
        owner.setUpClass()

    def call(self, function: Any) -> None:
        """Call ``function`` as the test method between ``setUp`` and ``tearDown``."""
        case = self.owner(self.name)
        case.setUp()
        try:
            function(case)
        finally:
            case.tearDown()
            case.doCleanups()


class Calls:
    """Puts the variations where pytest would call the test function."""

    def __init__(self, act: Any) -> None:
        self.act = act

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: Any) -> bool:
        """Vary in place of calling."""
        self.act(pyfuncitem)
        return True


class Plain(ast.NodeTransformer):
    """A test without its assertions: only what they call is left, and their ``with raises``."""

    def visit_Assert(self, node: ast.Assert) -> Any:
        """Keep what an assertion calls on its left."""
        test = node.test.left if isinstance(node.test, ast.Compare) else node.test
        if not any(isinstance(one, ast.Call | ast.Subscript) for one in ast.walk(test)):
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Expr(test), node)

    def visit_Expr(self, node: ast.Expr) -> Any:
        """Keep what an assertion of unittest's calls first."""
        call = node.value
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("self.assert"):
            for one in call.args:
                if any(isinstance(inner, ast.Call | ast.Subscript) for inner in ast.walk(one)):
                    return ast.copy_location(ast.Expr(one), node)
            return ast.copy_location(ast.Pass(), node)
        return node

    def visit_With(self, node: ast.With) -> Any:
        """Keep the body of a block that expects an error."""
        self.generic_visit(node)
        called = [ast.unparse(one.context_expr) for one in node.items]
        if len(called) == 1 and ("raises(" in called[0] or "assertRaises" in called[0]):
            return node.body
        return node
