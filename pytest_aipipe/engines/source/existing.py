"""Existing tests taken out of their files with just what they need."""

from __future__ import annotations

import ast
import builtins
import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.module import FunctionNode, import_statements
from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from pathlib import Path

_BUILTINS = frozenset(dir(builtins))
_KEPT_METHODS = (
    "setUp", "tearDown", "setUpClass", "tearDownClass", "setup_method", "teardown_method",
    "setup_class", "teardown_class", "asyncSetUp", "asyncTearDown",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class TestFile:
    """A test file, parsed: what each module-level name is bound by."""

    tree: ast.Module
    package: str
    bound: dict[str, list[ast.stmt]] = field(default_factory=dict)
    autouse: tuple[str, ...] = ()

    __test__ = False

    def find(self, qualname: str) -> tuple[FunctionNode, ast.ClassDef | None] | None:
        """Return a test's function and the class it stands in."""
        parts = qualname.split(".")
        owner: ast.ClassDef | None = None
        body: list[ast.stmt] = self.tree.body
        for part in parts[:-1]:
            owner = next((n for n in body if isinstance(n, ast.ClassDef) and n.name == part), None)
            if owner is None:
                return None
            body = owner.body
        return self._function(body, parts[-1], owner)

    def _function(
        self, body: list[ast.stmt], name: str, owner: ast.ClassDef | None
    ) -> tuple[FunctionNode, ast.ClassDef | None] | None:
        for node in _flat(body):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                return node, owner
        if owner is None:
            return None
        for base in owner.bases:
            for parent in self.bound.get(ast.unparse(base), []):
                if isinstance(parent, ast.ClassDef) and parent.lineno < owner.lineno:
                    found = self._function(parent.body, name, parent)
                    if found:
                        return found[0], owner
        return None

    @property
    def imports(self) -> tuple[str, ...]:
        """One statement for each name that the file's plain module-level imports bind."""
        return tuple(
            text
            for node in self.tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for text in import_statements(node, self.package).values()
        )

    def needed(self, node: ast.AST, *, tests: bool = False) -> tuple[str, ...]:
        """Return the module-level statements that ``node`` needs, transitively, in order.

        With ``tests`` classes keep their tests, and fixtures that the file's own tests get
        unasked are left out.
        """
        wanted: dict[int, tuple[int, str]] = {}
        seen: set[str] = set()
        todo = [*names_used(node), *(() if tests else self.autouse)]
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            for statement in self.bound.get(name, []):
                if id(statement) not in wanted:
                    text, more = self._rendered(statement, name, tests=tests)
                    key = (
                        id(statement) if not _is_import(statement) else hash((id(statement), name))
                    )
                    wanted[key] = (statement.lineno, text)
                    todo += more
        ordered = sorted(wanted.values(), key=lambda item: item[0])
        return tuple(dict.fromkeys(text for _, text in ordered))

    def _rendered(self, statement: ast.stmt, name: str, *, tests: bool) -> tuple[str, list[str]]:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return import_statements(statement, self.package).get(name, ""), []
        if isinstance(statement, ast.ClassDef) and not tests:
            statement = without_tests(statement)
        return ast.unparse(statement), names_used(statement)


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _flat(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements with those of module-level ``if``, ``try`` and ``with`` blocks."""
    found: list[ast.stmt] = []
    for node in body:
        found.append(node)
        if isinstance(node, ast.If):
            found += _flat(node.body) + _flat(node.orelse)
        elif isinstance(node, ast.Try):
            found += _flat(node.body)
    return found


def names_used(node: ast.AST) -> list[str]:
    """Return the names that ``node`` reads, its functions' arguments (fixtures) included."""
    found: dict[str, None] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Store):
            found[inner.id] = None
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            for a in (*inner.args.posonlyargs, *inner.args.args, *inner.args.kwonlyargs):
                found[a.arg] = None
            for d in inner.decorator_list:
                if "usefixtures" in ast.unparse(d) and isinstance(d, ast.Call):
                    found.update({a.value: None for a in d.args if isinstance(a, ast.Constant)
                                  and isinstance(a.value, str)})  # fmt: skip
    return [name for name in found if name not in _BUILTINS]


def without_tests(node: ast.ClassDef, keep: str = "") -> ast.ClassDef:
    """Return a class without its test methods, except ``keep``."""
    bare = copy.copy(node)  # copying the tests of a large class would take most of the time
    bare.body = [
        n
        for n in node.body
        if not isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        or n.name == keep
        or not n.name.startswith("test")
    ]
    made = clone(bare)
    made.body = made.body or [ast.Pass()]
    return made


@lru_cache(maxsize=128)
def test_file(path: Path, source: str) -> TestFile | None:
    """Parse a test file, or return None where it is not valid Python."""
    try:
        tree = syntax.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found = TestFile(tree, _package(path))
    autouse: list[str] = []
    for node in _flat(tree.body):
        for name in _binds(node):
            found.bound.setdefault(name, []).append(_outer(tree, node))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
            "fixture" in ast.unparse(d) and "autouse=True" in ast.unparse(d)
            for d in node.decorator_list
        ):
            autouse.append(node.name)
    object.__setattr__(found, "autouse", tuple(autouse))
    return found


test_file.__test__ = False  # type: ignore[attr-defined]


def _outer(tree: ast.Module, node: ast.stmt) -> ast.stmt:
    """Return the module-level statement that holds ``node``: an import keeps its ``try``."""
    if node in tree.body:
        return node
    for outer in tree.body:
        if any(inner is node for inner in ast.walk(outer)):
            return outer
    return node


def _package(path: Path) -> str:
    # Relative imports in tests are resolved against the folders above that look like packages.
    return ".".join(path.parent.parts[-1:])


def _binds(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [a.asname or a.name.split(".")[0] for a in node.names]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    return [
        n.id
        for target in targets
        for n in ast.walk(target)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]


@dataclass(frozen=True, eq=False)
class Taken:
    """A test taken out: its function (one row of parameters bound in the body), and the rest."""

    function: FunctionNode
    owner: ast.ClassDef | None
    file: TestFile

    def prelude(self, function: FunctionNode) -> tuple[str, ...]:
        """Return what an edited form of the function needs."""
        nodes: list[ast.AST] = [function]
        if self.owner is not None:
            nodes.append(without_tests(self.owner))
        module = ast.Module(body=nodes, type_ignores=[])  # type: ignore[arg-type]
        own = self.owner.name if self.owner is not None else None
        needed = self.file.needed(module)
        return tuple(t for t in needed if own is None or not t.startswith(f"class {own}"))

    def name(self, function: FunctionNode) -> str:
        """Return the name of what :meth:`render` gives: the function's, or its class's."""
        if self.owner is None or not _uses_class(function, without_tests(self.owner)):
            return function.name
        return self.owner.name

    def render(self, function: FunctionNode) -> str:
        """Return the source of an edited form: the function, or its class with it alone."""
        if self.owner is None:
            return ast.unparse(ast.fix_missing_locations(function)) + "\n"
        holder = without_tests(self.owner)
        if not _uses_class(function, holder):
            bare = clone(function)
            own = [a.arg for a in self.function.args.args[:1]]
            if [a.arg for a in bare.args.args[:1]] == own:  # it may have been rendered before
                bare.args.args = bare.args.args[1:]
            return ast.unparse(ast.fix_missing_locations(bare)) + "\n"
        kept = set(names_of_self(function)) | set(_KEPT_METHODS)
        kept |= {a for n in holder.body for a in names_of_self(n)}
        holder.body = [
            n
            for n in holder.body
            if not isinstance(n, ast.Pass)
            and (not isinstance(n, ast.FunctionDef) or n.name in kept or n.decorator_list)
        ]
        holder.body.append(clone(function))
        return ast.unparse(ast.fix_missing_locations(holder)) + "\n"


def _uses_class(function: FunctionNode, holder: ast.ClassDef) -> bool:
    if names_of_self(function) or holder.bases or holder.decorator_list:
        return True
    return any(
        isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        and (n.name in _KEPT_METHODS or n.decorator_list)
        for n in holder.body
    )


def names_of_self(node: ast.AST) -> list[str]:
    """Return the attributes of ``self`` (or ``cls``) that ``node`` uses."""
    return [
        n.attr
        for n in ast.walk(node)
        if isinstance(n, ast.Attribute)
        and isinstance(n.value, ast.Name)
        and n.value.id in {"self", "cls"}
    ]


def take(file: TestFile, qualname: str, row: int = 0) -> Taken | None:
    """Take a test out of its file with one row of its parametrization, or None."""
    found = file.find(qualname)
    if found is None:
        return None
    function = clone(found[0])
    bindings: list[ast.stmt] = []
    decorators: list[ast.expr] = []
    for decorator in function.decorator_list:
        text = ast.unparse(decorator)
        if "parametrize" in text and isinstance(decorator, ast.Call):
            bound = _bind_row(decorator, row)
            if bound is None:
                return None
            bindings += bound
        elif "xfail" not in text:
            decorators.append(decorator)
    function.decorator_list = decorators
    names = {t.id for b in bindings if isinstance(b, ast.Assign)
             for t in b.targets if isinstance(t, ast.Name)}  # fmt: skip
    function.args.args = [a for a in function.args.args if a.arg not in names]
    if function.args.defaults:
        function.args.defaults = function.args.defaults[-len(function.args.args) :]
    body = function.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    function.body = [*bindings, *body] or [ast.Pass()]
    return Taken(ast.fix_missing_locations(function), found[1], file)


def rows(file: TestFile, qualname: str) -> int:
    """Return how many rows the test's largest parametrization has; 1 without any."""
    found = file.find(qualname)
    counts = [1]
    for decorator in found[0].decorator_list if found else []:
        if "parametrize" in ast.unparse(decorator) and isinstance(decorator, ast.Call):
            values = _row_values(decorator)
            counts.append(len(values))
    return max(counts)


def _row_values(decorator: ast.Call) -> list[ast.expr]:
    values = decorator.args[1] if len(decorator.args) > 1 else None
    for keyword in decorator.keywords:
        if keyword.arg == "argvalues":
            values = keyword.value
    return values.elts if isinstance(values, ast.List | ast.Tuple | ast.Set) else []


def _bind_row(decorator: ast.Call, row: int) -> list[ast.stmt] | None:
    values = _row_values(decorator)
    names_node = decorator.args[0] if decorator.args else None
    if not values or names_node is None:
        return None
    try:
        literal = syntax.literal(names_node)
    except ValueError:
        return None
    names = [n.strip() for n in literal.split(",")] if isinstance(literal, str) else list(literal)
    names = [n for n in names if n]
    value = values[row % len(values)]
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("param"):
        value = ast.Tuple(elts=value.args, ctx=ast.Load()) if len(names) > 1 else value.args[0]
    if len(names) == 1:
        return [_assign(names[0], value)]
    if not isinstance(value, ast.Tuple | ast.List) or len(value.elts) != len(names):
        return None
    return [_assign(n, v) for n, v in zip(names, value.elts, strict=True)]


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=clone(value))
