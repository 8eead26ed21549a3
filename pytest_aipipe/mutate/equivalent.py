"""Mutants that no test can notice, and the proof. What cannot be shown stays a mutant."""

from __future__ import annotations

import ast
import operator
import sys
import types
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_aipipe.mutate.text import Edit, Text

SAME_BYTECODE = "compiles to the same bytecode"

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_SEES_LOCALS = frozenset({"locals", "vars", "eval", "exec", "dir"})


def same_code(left: types.CodeType, right: types.CodeType) -> bool:
    """Whether two code objects do the same; positions in the source are not compared."""
    return _shape(left) == _shape(right)


def _shape(code: types.CodeType) -> tuple[Any, ...]:
    return (
        code.co_code,
        tuple(_constant(value) for value in code.co_consts),
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_flags,
        code.co_argcount,
        code.co_kwonlyargcount,
        code.co_posonlyargcount,
        code.co_name,
        getattr(code, "co_exceptiontable", b""),
    )


def _constant(value: object) -> tuple[Any, ...]:
    """Equal constants of different types (1, 1.0, True) are different, and so is -0.0."""
    if isinstance(value, types.CodeType):
        return ("code", *_shape(value))
    if isinstance(value, tuple):
        return ("tuple", *(_constant(item) for item in value))
    if isinstance(value, frozenset):
        return ("frozenset", frozenset(_constant(item) for item in value))
    return (type(value).__name__, repr(value))


def proof(edit: Edit, chain: tuple[ast.AST, ...], text: Text, mutated: str) -> str | None:
    """Why the edit inside ``chain`` (outermost node first) cannot be noticed, or None."""
    return _fixed_by_interpreter(edit, chain, text, mutated) or _never_read(chain)


def _fixed_by_interpreter(
    edit: Edit, chain: tuple[ast.AST, ...], text: Text, mutated: str
) -> str | None:
    """Return a check of Python's version or platform that has the same answer after the edit."""
    for node in chain:
        if not isinstance(node, ast.Compare):
            continue
        start, end = text.span(node)
        after = mutated[start : end + len(mutated) - len(text.source)]
        if not start <= edit.start <= edit.end <= end:
            continue
        answers = [_surroundings(part) for part in (text.source[start:end], after)]
        if answers[0] is not None and answers[0] == answers[1]:
            return "has the same answer on this interpreter and platform"
    return None


def _surroundings(source: str) -> bool | None:
    """Return the truth of a comparison that is built of ``sys`` facts and literals only."""
    try:
        tree = syntax.parse(f"({source})", mode="eval")
    except SyntaxError:
        return None
    facts = {
        "sys.version_info": sys.version_info,
        "sys.platform": sys.platform,
        "sys.maxsize": sys.maxsize,
    }
    if not isinstance(tree.body, ast.Compare) or len(tree.body.ops) != 1:
        return None
    values: list[Any] = []
    for side in (tree.body.left, tree.body.comparators[0]):
        if isinstance(side, ast.Attribute) and ast.unparse(side) in facts:
            values.append(facts[ast.unparse(side)])
            continue
        try:
            values.append(syntax.literal(side))
        except ValueError:
            return None
    if all(value is not fact for value in values for fact in facts.values()):
        return None
    try:
        return bool(_COMPARE[type(tree.body.ops[0])](*values))
    except (KeyError, TypeError):
        return None


def _never_read(chain: tuple[ast.AST, ...]) -> str | None:
    """Return the value of a local name that its function never reads."""
    functions = [n for n in chain if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    if not functions or any(isinstance(n, ast.ClassDef | ast.Lambda) for n in _below(chain)):
        return None
    assigned = next((n for n in reversed(chain) if isinstance(n, ast.Assign)), None)
    if assigned is None or chain[-1] is assigned or not _cannot_fail(assigned.value):
        return None
    names = {t.id for t in assigned.targets if isinstance(t, ast.Name)}
    if len(names) != len(assigned.targets):
        return None
    for node in ast.walk(functions[-1]):
        if isinstance(node, ast.Global | ast.Nonlocal) and names & set(node.names):
            return None
        if isinstance(node, ast.Name) and _reads(node, names):
            return None
        if isinstance(node, ast.AugAssign) and _is_one_of(node.target, names):
            return None
    return f"{', '.join(sorted(names))} is never read"


def _reads(node: ast.Name, names: set[str]) -> bool:
    return not isinstance(node.ctx, ast.Store) and node.id in names | _SEES_LOCALS


def _is_one_of(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _below(chain: tuple[ast.AST, ...]) -> Iterator[ast.AST]:
    """Return the nodes of ``chain`` below its innermost function."""
    inner: list[ast.AST] = []
    for node in reversed(chain):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            break
        inner.append(node)
    return iter(inner)


def _cannot_fail(value: ast.expr) -> bool:
    """Whether evaluating ``value`` only makes a value: literals, nothing that runs code."""
    harmless = (ast.Constant, ast.Tuple, ast.List, ast.Load)
    return all(isinstance(node, harmless) for node in ast.walk(value))
