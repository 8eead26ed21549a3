"""The operands of the comparisons that decide a branch, seen while changed code runs.

The conditions of the changed files' functions are recompiled so that each comparison
passes its operands, evaluated once and in their order, through a recorder that then makes
the very same comparison. Lines stay where they are, so coverage does not see a difference.
"""

from __future__ import annotations

import ast
import builtins
import gc
import operator
import types
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax
from pytest_aipipe.explore.marks import alike
from pytest_aipipe.explore.operands import some_of
from pytest_aipipe.explore.rebuild import source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RECORDER = "__aipipe_guard__"
MAX_SEEN = 240
PER_GUARD = 4
MAX_CODE = 300
_COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Is: ("is", operator.is_),
    ast.IsNot: ("is not", operator.is_not),
    ast.In: ("in", lambda left, right: left in right),
    ast.NotIn: ("not in", lambda left, right: left not in right),
}
_BY_NAME = dict(_COMPARE.values())
_CALLS = frozenset({"isinstance", "issubclass", "callable", "hasattr"})
_METHODS = frozenset(
    {"startswith", "endswith", "match", "search", "fullmatch", "isdigit", "isalpha", "isupper"}
    | {"islower", "isspace", "isidentifier", "isalnum", "get"}
)
_PLAIN = (int, float, str, bytes, type(None), list, tuple, dict, set, frozenset)


class Recorder:
    """Keeps a bounded number of the operands seen, the latest of each guard last."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[dict[str, Any]] = []
        self._counts: dict[tuple[str, int, str, bool], int] = {}

    def begin(self) -> None:
        """Record from here on, with nothing seen so far."""
        self.seen = []
        self._counts = {}
        self.on = True

    def compare(self, path: str, line: int, name: str, left: Any, right: Any) -> Any:
        """Compare as the code would have, noting the operands."""
        result = _BY_NAME[name](left, right)
        if self.on:
            self.note(path, line, name, left, right, result)
        return result

    def truth(self, path: str, line: int, value: Any) -> Any:
        """Return ``value``, noting whether it counts as true where asking has no effect."""
        if self.on and isinstance(value, _PLAIN):
            self.note(path, line, "truth", value, None, bool(value))
        elif self.on and not hasattr(type(value), "__bool__") and not hasattr(value, "__len__"):
            self.note(path, line, "truth", None, None, result=True)
        return value

    def call(self, path: str, line: int, name: str, function: Any, *args: Any) -> Any:
        """Call ``function``, noting its receiver or first argument and the next one."""
        result = function(*args)
        if self.on:
            bound = getattr(function, "__self__", None)
            operands = [] if bound is None or bound is builtins else [bound]
            operands += [*args, None, None]
            taken = result is not None and result is not False
            self.note(path, line, name, operands[0], operands[1], taken)
        return result

    def note(
        self,
        path: str,
        line: int,
        name: str,
        left: Any,
        right: Any,
        result: Any,
    ) -> None:
        """Keep one observation, unless this guard has shown enough already."""
        if not isinstance(result, bool):
            return
        key = (path, line, name, result)
        count = self._counts.get(key, 0)
        if count >= PER_GUARD or len(self.seen) >= MAX_SEEN:
            return
        self._counts[key] = count + 1
        self.on = False  # writing a value may run the very code that is watched
        try:
            written = [source_of(left), source_of(right)]
            some = some_of(right) if name in {"in", "not in"} else None
        finally:
            self.on = True
        codes = [one.code if one is not None and len(one.code) < MAX_CODE else None
                 for one in written]  # fmt: skip
        if codes[1] is None and some is not None and len(some) < MAX_CODE:
            codes[1] = some  # one of its members is what is asked for
        entry = {
            "path": path,
            "line": line,
            "op": name,
            "left": codes[0],
            "right": codes[1],
            "taken": result,
        }
        if entry not in self.seen[-8:]:
            self.seen.append(entry)


class _Guards(ast.NodeTransformer):
    """Wraps the conditions of ``if``, ``while``, ``assert``, ``a if b else c`` and filters."""

    def __init__(self, path: str) -> None:
        self.path = path

    def _called(self, method: str, node: ast.expr, *args: ast.expr) -> ast.expr:
        function = ast.Attribute(ast.Name(RECORDER, ast.Load()), method, ast.Load())
        place: list[ast.expr] = [ast.Constant(self.path), ast.Constant(node.lineno)]
        call = ast.Call(function, [*place, *args], [])
        return _located(call, node)

    def _condition(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.BoolOp):
            node.values = [self._condition(one) for one in node.values]
            return node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node.operand = self._condition(node.operand)
            return node
        if isinstance(node, ast.Compare):
            if len(node.ops) != 1:
                return node
            name = _COMPARE[type(node.ops[0])][0]
            return self._called("compare", node, ast.Constant(name), node.left, node.comparators[0])
        if isinstance(node, ast.Call):
            called = _watched(node)
            if called:
                return self._called("call", node, ast.Constant(called), node.func, *node.args)
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.Constant):
            return node
        return self._called("truth", node, node)

    def _visit_test(self, node: Any) -> Any:
        self.generic_visit(node)
        node.test = self._condition(node.test)
        return node

    visit_If = visit_While = visit_IfExp = visit_Assert = _visit_test  # noqa: N815

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        node.ifs = [self._condition(one) for one in node.ifs]
        return node


def _watched(node: ast.Call) -> str | None:
    if node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
        return None
    if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        return node.func.id
    if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        return node.func.attr
    return None


def _located(new: ast.expr, old: ast.expr) -> ast.expr:
    """Give every made node the first line of the condition that it stands in."""
    kept = {id(one) for one in ast.walk(old)}
    for one in ast.walk(new):
        if id(one) not in kept and isinstance(one, ast.expr):
            ast.copy_location(one, old)
    ast.copy_location(new, old)
    return new


def recompiled(path: str, filename: str, source: str) -> dict[tuple[str, int], types.CodeType]:
    """Return the recompiled code objects of a file, by qualified name and first line."""
    tree = _Guards(path).visit(syntax.parse(source))
    code = compile(tree, filename, "exec", dont_inherit=True)
    found: dict[tuple[str, int], types.CodeType] = {}
    todo = [code]
    while todo:
        for constant in todo.pop().co_consts:
            if isinstance(constant, types.CodeType):
                found[constant.co_qualname, constant.co_firstlineno] = constant
                todo.append(constant)
    return found


def install(files: Mapping[str, tuple[str, str]]) -> Recorder:
    """Make the living functions of ``files`` tell their guards; return the recorder.

    ``files`` maps repository-relative paths to the file name that the code objects bear and
    the source. A file that cannot be recompiled alike keeps its code.
    """
    recorder = Recorder()
    setattr(builtins, RECORDER, recorder)
    codes: dict[str, dict[tuple[str, int], types.CodeType]] = {}
    for path, (filename, source) in files.items():
        try:
            codes[filename] = recompiled(path, filename, source)
        except (SyntaxError, ValueError, RecursionError):
            continue
    for function in [one for one in gc.get_objects() if type(one) is types.FunctionType]:
        own = function.__code__
        found = codes.get(own.co_filename, {}).get((own.co_qualname, own.co_firstlineno))
        if found is not None and alike(own, found):
            function.__code__ = found
    return recorder
