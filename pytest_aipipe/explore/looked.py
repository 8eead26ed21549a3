"""What an assertion looks at: the expression in it whose value the code under test decides.

``assert expected == shop.total()`` looks at the right side, ``assert not shop.is_open()`` at the
call. Where such an assertion does not hold of another input, that value is what can be stated.
"""

from __future__ import annotations

import ast
import builtins

_BUILTINS = frozenset(dir(builtins))
_LOOSE = (ast.BoolOp, ast.IfExp, ast.Lambda, ast.NamedExpr, ast.Compare, ast.Await)
_ASKING = frozenset({"isinstance", "issubclass", "callable", "hasattr"})
_WHOLE = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)


def looked_at(test: ast.expr) -> ast.expr | None:
    """Return the part of an assertion's ``test`` that it is about; None where none is plain.

    Of a comparison's two sides that is the one that calls something, or else is no constant; the
    left one of two alike. Of a question about a thing's kind it is the thing.
    """
    if isinstance(test, ast.Compare):
        if len(test.ops) != 1:
            return None
        sides = (test.left, test.comparators[0])
        return max(sides, key=_rank)  # the first of two alike
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return looked_at(test.operand)
    match test:
        case ast.Call(func=ast.Name(id=name), args=[thing, *_]) if name in _ASKING:
            return thing if isinstance(thing, _WHOLE) else None
        case _:
            return test if isinstance(test, _WHOLE) else None


def written(node: ast.expr) -> str:
    """Return ``node`` as source that can stand before an operator."""
    code = ast.unparse(node)
    loose = isinstance(node, _LOOSE) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )
    return f"({code})" if loose else code


def calls_code(node: ast.AST) -> bool:
    """Whether something is called in ``node`` that is no builtin."""
    return any(
        isinstance(n, ast.Call) and not (isinstance(n.func, ast.Name) and n.func.id in _BUILTINS)
        for n in ast.walk(node)
    )


def _rank(node: ast.expr) -> int:
    if calls_code(node):
        return 2
    return int(any(isinstance(n, ast.Name) for n in ast.walk(node)))
