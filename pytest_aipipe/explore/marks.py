"""Which statements of the changed files ran and how their conditions went, told by the code itself.

A tracer is asked at every call and line, those of other files too, and costs several times
what it watches. Here the living functions of the changed files are recompiled with a mark
before each statement and around each condition, so that everything else runs at full speed.
What the marks say is near what coverage.py would say, and only used to steer.
"""

from __future__ import annotations

import ast
import builtins
import gc
import types
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Piece = tuple[str, int, int]
"""Path and line, the third 0; or path and both ends of a branch."""
Way = frozenset[int]

_MARK, _TEST = "__aipipe_mark__", "__aipipe_test__"


class Marks:
    """The marks of ``files`` (file name to repository-relative path and source)."""

    def __init__(self, files: Mapping[str, tuple[str, str]]) -> None:
        self.seen: set[int] = set()
        self.pieces: dict[int, tuple[Piece, ...]] = {}
        self.lines: dict[int, tuple[str, int]] = {}
        self._path = ""
        self._last = 0
        self._functions: list[tuple[types.FunctionType, types.CodeType, types.CodeType]] = []
        add = self.seen.add

        def test(number: int, value: Any) -> Any:
            add(number + 1 if value else number)
            return value

        setattr(builtins, _MARK, add)
        setattr(builtins, _TEST, test)
        codes = {}
        for filename, (path, source) in files.items():
            try:
                codes[filename] = self._recompiled(path, filename, source)
            except (SyntaxError, ValueError, RecursionError):
                continue
        gc.unfreeze()  # what is frozen is not told of
        for function in [one for one in gc.get_objects() if type(one) is types.FunctionType]:
            own = function.__code__
            made = codes.get(own.co_filename, {}).get((own.co_qualname, own.co_firstlineno))
            if made is not None and alike(own, made):
                self._functions.append((function, own, made))
                function.__code__ = made
        gc.freeze()

    def begin(self) -> None:
        """Forget what was seen."""
        self.seen.clear()

    def way(self) -> Way:
        """Return what was seen since the beginning."""
        return frozenset(self.seen)

    def reached(self, way: Iterable[int]) -> set[Piece]:
        """Return the lines and branches that a way amounts to."""
        return {piece for number in way for piece in self.pieces.get(number, ())}

    @contextmanager
    def away(self) -> Iterator[None]:
        """Put the functions' former code back for a while."""
        for function, own, _ in self._functions:
            function.__code__ = own
        try:
            yield
        finally:
            for function, _, made in self._functions:
                function.__code__ = made

    def _recompiled(
        self, path: str, filename: str, source: str
    ) -> dict[tuple[str, int], types.CodeType]:
        self._path = path
        tree = _Marking(self, path).visit(syntax.parse(source))
        code = compile(ast.fix_missing_locations(tree), filename, "exec", dont_inherit=True)
        found: dict[tuple[str, int], types.CodeType] = {}
        todo = [code]
        while todo:
            for constant in todo.pop().co_consts:
                if isinstance(constant, types.CodeType):
                    found[constant.co_qualname, constant.co_firstlineno] = constant
                    todo.append(constant)
        return found

    def near(self, places: Iterable[tuple[str, int]]) -> Way:
        """Return the marks that stand on the given lines (with their paths)."""
        wanted = set(places)
        return frozenset(number for number, place in self.lines.items() if place in wanted)

    def number(self, line: int, *pieces: Piece) -> int:
        """Return a new mark's number; it and the next stand for false and true of a test."""
        self._last += 2
        self.pieces[self._last] = pieces
        self.lines[self._last] = self.lines[self._last + 1] = (self._path, line)
        return self._last


def alike(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether a function can run one code object in place of the other."""
    return (
        old.co_freevars == new.co_freevars
        and old.co_varnames == new.co_varnames
        and old.co_flags == new.co_flags
        and old.co_argcount == new.co_argcount
    )


class _Marking(ast.NodeTransformer):
    """Puts the marks in; only bodies of functions get any."""

    def __init__(self, marks: Marks, path: str) -> None:
        self.marks = marks
        self.path = path
        self.depth = 0

    def visit_FunctionDef(self, node: Any) -> Any:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        node.body = self._marked(node.body)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_If(self, node: Any) -> Any:
        first = first_line(node.body)
        self.generic_visit(node)
        if self.depth:
            node.test = self._tested(node.test, node.lineno, first)
            node.body = self._marked(node.body)
            node.orelse = self._marked(node.orelse)
        return node

    visit_While = visit_If  # noqa: N815

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        self.generic_visit(node)
        if self.depth:
            node.test = self._tested(node.test, 0, 0)
        return node

    def visit_For(self, node: Any) -> Any:
        first = first_line(node.body)
        self.generic_visit(node)
        if self.depth:
            entered, spent = self._ends(node.lineno, first)
            node.body = [entered, *self._marked(node.body)]
            node.orelse = [spent, *self._marked(node.orelse)]
        return node

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_With(self, node: Any) -> Any:
        self.generic_visit(node)
        if self.depth:
            node.body = self._marked(node.body)
        return node

    visit_AsyncWith = visit_With  # noqa: N815

    def visit_Try(self, node: Any) -> Any:
        self.generic_visit(node)
        if self.depth:
            for name in ("body", "orelse", "finalbody"):
                setattr(node, name, self._marked(getattr(node, name)))
            for handler in node.handlers:
                first = first_line(handler.body)
                number = self.marks.number(
                    handler.lineno,
                    (self.path, handler.lineno, 0),
                    (self.path, handler.lineno, first),
                )
                handler.body = [_mark(number, handler), *self._marked(handler.body)]
        return node

    visit_TryStar = visit_Try  # noqa: N815

    def visit_match_case(self, node: ast.match_case) -> Any:
        self.generic_visit(node)
        if self.depth:
            node.body = self._marked(node.body)
        return node

    def _marked(self, body: list[Any]) -> list[Any]:
        made: list[Any] = []
        for place, statement in enumerate(body):
            is_doc = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not _is_mark(statement) and not (is_doc and place == 0):
                line = first_line([statement])
                made.append(_mark(self.marks.number(line, (self.path, line, 0)), statement))
            made.append(statement)
        return made

    def _ends(self, line: int, first: int) -> tuple[ast.stmt, ast.stmt]:
        """Return marks for a loop that is entered and for one that is spent."""
        entered = self.marks.number(line, (self.path, line, first))
        spent = self.marks.number(line, (self.path, line, -first))  # see Aims: any other end
        place = ast.Pass(lineno=line, col_offset=0, end_lineno=line, end_col_offset=0)
        return _mark(entered, place), _mark(spent, place)

    def _tested(self, test: ast.expr, line: int, first: int) -> ast.expr:
        """Return a condition that tells how it went, and how each of its parts did."""
        if isinstance(test, ast.BoolOp):
            test.values = [self._tested(one, 0, 0) for one in test.values]
            if not line:
                return test
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and not line:
            test.operand = self._tested(test.operand, 0, 0)
            return test
        elif isinstance(test, ast.NamedExpr) and not line:
            return test
        number = self.marks.number(test.lineno, *([(self.path, line, -first)] if line else []))
        self.marks.pieces[number + 1] = ((self.path, line, first),) if line else ()
        made = ast.Call(
            ast.Name(_TEST, ast.Load()), [ast.Constant(value=number), test], []
        )  # fmt: skip
        return ast.copy_location(made, test)


def first_line(block: list[ast.stmt]) -> int:
    """Return the line on which a block begins, decorators included."""
    first = block[0]
    decorators: list[ast.expr] = getattr(first, "decorator_list", [])
    return min([first.lineno, *(one.lineno for one in decorators)])


def _mark(number: int, like: ast.AST) -> ast.stmt:
    call = ast.Call(ast.Name(_MARK, ast.Load()), [ast.Constant(value=number)], [])
    made = ast.Expr(call)
    for node in (made, call, call.func, *call.args):
        ast.copy_location(node, like)
    return made


def _is_mark(statement: Any) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Name)
        and statement.value.func.id == _MARK
    )
