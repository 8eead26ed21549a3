"""A module's source as definitions with their lines, owners and parameters."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from aipipe_core import syntax

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DefinitionNode = FunctionNode | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. ``default`` and ``annotation`` are expressions, or None."""

    name: str
    kind: str  # "positional", "any", "star", "keyword", "stars"
    default: ast.expr | None
    annotation: ast.expr | None

    @property
    def required(self) -> bool:
        """Whether a call must pass it."""
        return self.default is None and self.kind not in {"star", "stars"}


@dataclass(frozen=True, eq=False)
class Definition:
    """A function or class: its node, where it stands, and the definition that holds it."""

    qualname: str
    node: DefinitionNode
    owner: Definition | None

    @property
    def name(self) -> str:
        """The last part of the qualified name."""
        return self.node.name

    @property
    def is_class(self) -> bool:
        """Whether this is a class."""
        return isinstance(self.node, ast.ClassDef)

    @property
    def is_async(self) -> bool:
        """Whether calling it gives a coroutine or an asynchronous generator."""
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def start(self) -> int:
        """The first line, decorators included."""
        return min([self.node.lineno, *(d.lineno for d in self.node.decorator_list)])

    @property
    def end(self) -> int:
        """The last line."""
        return self.node.end_lineno or self.node.lineno

    @property
    def outermost(self) -> Definition:
        """The function or method that this one is written in; itself where it is in none."""
        owner = self.owner
        return self if owner is None or owner.is_class else owner.outermost

    @cached_property
    def decorators(self) -> tuple[str, ...]:
        """The decorators' sources, arguments left out."""
        bare = (d.func if isinstance(d, ast.Call) else d for d in self.node.decorator_list)
        return tuple(ast.unparse(d) for d in bare)

    @property
    def binding(self) -> str:
        """How it is reached.

        ``function``, ``method``, ``classmethod``, ``static``, ``property``, ``setter``,
        ``nested`` or ``class``.
        """
        if self.is_class:
            return "class"
        if self.owner is None:
            return "function"
        if not self.owner.is_class:
            return "nested"
        last = {d.rsplit(".", 1)[-1] for d in self.decorators}
        if "staticmethod" in last:
            return "static"
        if "classmethod" in last or self.name in {"__init_subclass__", "__class_getitem__"}:
            return "classmethod"
        if last & {"property", "cached_property", "cachedproperty"}:
            return "property"
        return "setter" if last & {"setter", "deleter"} else "method"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that a caller passes (``self`` and ``cls`` left out)."""
        if isinstance(self.node, ast.ClassDef):
            return ()
        found = parameters_of(self.node.args)
        bound = self.binding in {"method", "classmethod", "property", "setter"}
        return found[1:] if bound and found and found[0].kind in {"positional", "any"} else found

    @cached_property
    def receiver(self) -> str | None:
        """What the body calls its instance or class (``self``), where it has one."""
        if isinstance(self.node, ast.ClassDef):
            return None
        if self.binding not in {"method", "classmethod", "property", "setter"}:
            return None
        found = [*self.node.args.posonlyargs, *self.node.args.args]
        return found[0].arg if found else None

    @property
    def is_generator(self) -> bool:
        """Whether its own body yields."""
        return any(isinstance(n, ast.Yield | ast.YieldFrom) for n in own_nodes(self.node))


def parameters_of(args: ast.arguments) -> tuple[Parameter, ...]:
    """Return the parameters of a signature in order."""
    plain = [*((a, "positional") for a in args.posonlyargs), *((a, "any") for a in args.args)]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults))
    defaults += args.defaults
    found = [
        Parameter(a.arg, kind, default, a.annotation)
        for (a, kind), default in zip(plain, defaults, strict=True)
    ]
    if args.vararg:
        found.append(Parameter(args.vararg.arg, "star", None, args.vararg.annotation))
    for a, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        found.append(Parameter(a.arg, "keyword", default, a.annotation))
    if args.kwarg:
        found.append(Parameter(args.kwarg.arg, "stars", None, args.kwarg.annotation))
    return tuple(found)


def own_nodes(node: ast.AST) -> list[ast.AST]:
    """Return the nodes below ``node`` without those of functions and classes inside it."""
    found: list[ast.AST] = []
    todo = list(ast.iter_child_nodes(node))
    while todo:
        child = todo.pop(0)
        found.append(child)
        inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
        if not isinstance(child, inner):
            todo = [*ast.iter_child_nodes(child), *todo]
    return found


@dataclass(frozen=True, eq=False)
class ModuleView:
    """One changed file, parsed. ``name`` is its dotted import name."""

    path: str
    name: str
    source: str
    tree: ast.Module
    definitions: dict[str, Definition] = field(default_factory=dict)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def at(self, line: int) -> Definition | None:
        """Return the innermost definition that holds ``line``."""
        found = [d for d in self.definitions.values() if d.start <= line <= d.end]
        return max(found, key=lambda d: (d.start, -d.end), default=None)

    def members(self, owner: Definition) -> list[Definition]:
        """Return the functions and classes defined directly in ``owner``."""
        return [d for d in self.definitions.values() if d.owner is owner]

    def method(self, owner: Definition, name: str) -> Definition | None:
        """Return a method of a class or of its bases within this module."""
        found = self.definitions.get(f"{owner.qualname}.{name}")
        if found or not isinstance(owner.node, ast.ClassDef):
            return found
        for base in owner.node.bases:
            parent = self.definitions.get(ast.unparse(base))
            if parent and parent is not owner and (got := self.method(parent, name)):
                return got
        return None

    def subclasses(self, owner: Definition) -> list[Definition]:
        """Return the classes of this module that name ``owner`` as a base, nearest first."""
        return [
            d
            for d in self.definitions.values()
            if isinstance(d.node, ast.ClassDef)
            and any(ast.unparse(b).rsplit(".", 1)[-1] == owner.name for b in d.node.bases)
        ]

    @cached_property
    def statements(self) -> dict[int, ast.stmt]:
        """The innermost statement that begins on a line, by line."""
        found: dict[int, ast.stmt] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.stmt):
                found.setdefault(node.lineno, node)
        return found

    @cached_property
    def imported(self) -> dict[str, str]:
        """Names that module-level imports bind: local name -> absolute import statement."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.update(import_statements(node, self.package))
        return found

    @cached_property
    def constants(self) -> frozenset[str]:
        """Names that module-level assignments bind."""
        return frozenset(
            n.id
            for node in self.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            for n in ast.walk(target)
            if isinstance(n, ast.Name)
        )

    @property
    def package(self) -> str:
        """The package that relative imports of this module start from."""
        is_package = self.path.endswith("__init__.py")
        return self.name if is_package else self.name.rpartition(".")[0]


def import_statements(node: ast.Import | ast.ImportFrom, package: str) -> dict[str, str]:
    """Return one absolute import statement for each name that ``node`` binds."""
    found: dict[str, str] = {}
    if isinstance(node, ast.Import):
        for a in node.names:
            suffix = f" as {a.asname}" if a.asname else ""
            found[a.asname or a.name.split(".")[0]] = f"import {a.name}{suffix}"
        return found
    base = node.module or ""
    if node.level:
        parts = package.split(".") if package else []
        kept = parts[: len(parts) - (node.level - 1)]
        base = ".".join([*kept, *([node.module] if node.module else [])])
    for a in node.names:
        if a.name != "*" and base:
            suffix = f" as {a.asname}" if a.asname else ""
            found[a.asname or a.name] = f"from {base} import {a.name}{suffix}"
    return found


@lru_cache(maxsize=64)
def view(path: str, name: str, source: str) -> ModuleView | None:
    """Parse a module, or return None where its source is not valid Python."""
    try:
        tree = syntax.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    module = ModuleView(path, name, source, tree)
    _collect(module, tree, None, "")
    return module


def _collect(module: ModuleView, node: ast.AST, owner: Definition | None, prefix: str) -> None:
    for child in ast.iter_child_nodes(node):
        module.parents[child] = node
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found = Definition(prefix + child.name, child, owner)
            key = found.qualname
            while key in module.definitions:  # overloads, setters, definitions by platform
                key += "'"
            module.definitions[key] = found
            _collect(module, child, found, f"{found.qualname}.")
        else:
            _collect(module, child, owner, prefix)
