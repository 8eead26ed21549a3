"""What a function does with its arguments: the shape that a stand-in must have.

Flow-insensitive: a name and what it is assigned from share one shape, a call's result and
an item have shapes of their own.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

STRING_METHODS = frozenset(name for name in dir(str) if not name.startswith("_"))
BYTES_ONLY = frozenset({"decode", "hex"})
_NUMERIC_CALLS = frozenset({"range", "abs", "round", "int", "float", "divmod", "chr", "hex", "bin"})
_ITERATING = frozenset(
    {"list", "tuple", "set", "sorted", "iter", "enumerate", "sum", "min", "max", "zip", "any",
     "all",      "frozenset", "reversed", "dict"}
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Shape:
    """How a value is used."""

    attributes: dict[str, Shape] = field(default_factory=dict)
    result: Shape | None = None
    arguments: int = 0
    item: Shape | None = None
    keys: list[ast.expr] = field(default_factory=list)
    element: Shape | None = None
    context: bool = False
    awaited: bool = False
    numeric: bool = False
    sized: bool = False
    stored: bool = False
    types: list[str] = field(default_factory=list)
    constants: list[ast.Constant] = field(default_factory=list)
    raised: bool = False

    def attribute(self, name: str) -> Shape:
        """Return the shape of an attribute, making it where it is new."""
        return self.attributes.setdefault(name, Shape())

    def called(self, arguments: int) -> Shape:
        """Return the shape of the result of calling it."""
        self.arguments = max(self.arguments, arguments)
        self.result = self.result or Shape()
        return self.result

    @property
    def methods(self) -> frozenset[str]:
        """The attributes that are called."""
        return frozenset(n for n, s in self.attributes.items() if s.result is not None)


def shapes(function: ast.AST) -> dict[str, Shape]:
    """Return the shape of every name that ``function`` uses."""
    reader = _Reader()
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.arguments):
            reader.visit(child)
    return reader.names


class _Reader(ast.NodeVisitor):
    """Fills the shapes of names in the order of the source."""

    def __init__(self) -> None:
        self.names: dict[str, Shape] = {}

    def shape(self, node: ast.AST) -> Shape:
        """Return the shape that stands for an expression."""
        if isinstance(node, ast.Name):
            return self.names.setdefault(node.id, Shape())
        if isinstance(node, ast.Attribute):
            return self.shape(node.value).attribute(node.attr)
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Subscript):
            return self._item(node)
        if isinstance(node, ast.Await):
            inner = self.shape(node.value)
            inner.awaited = True
            return inner
        if isinstance(node, ast.NamedExpr):
            return self._bind(node.target, node.value)
        if isinstance(node, ast.BoolOp):
            return self.shape(node.values[0])
        return Shape()

    def _called(self, node: ast.Call) -> Shape:
        if isinstance(node.func, ast.Name) and node.args:
            first = self.shape(node.args[0])
            if node.func.id in _NUMERIC_CALLS:
                first.numeric = first.numeric or node.func.id != "int"
            elif node.func.id in _ITERATING:
                first.element = first.element or Shape()
            elif node.func.id == "len":
                first.sized = True
            elif node.func.id == "isinstance" and len(node.args) > 1:
                first.types += type_names(node.args[1])
            elif node.func.id == "next":
                first.element = first.element or Shape()
                return first.element
        return self.shape(node.func).called(len(node.args) + len(node.keywords))

    def _item(self, node: ast.Subscript) -> Shape:
        outer = self.shape(node.value)
        if isinstance(node.slice, ast.Slice):
            outer.sized = True
            return outer
        outer.item = outer.item or Shape()
        outer.stored = outer.stored or not isinstance(node.ctx, ast.Load)
        outer.keys.append(node.slice)
        return outer.item

    def _bind(self, target: ast.AST, value: ast.AST) -> Shape:
        found = self.shape(value)
        if isinstance(target, ast.Name):
            known = self.names.get(target.id)
            if known is None or not isinstance(value, ast.Constant | ast.JoinedStr | ast.BinOp):
                self.names[target.id] = _merged(known, found)
            return self.names[target.id]
        if isinstance(target, ast.Tuple | ast.List):
            found.element = found.element or Shape()
            for inner in target.elts:
                if isinstance(inner, ast.Name):
                    self.names.setdefault(inner.id, found.element)
        return found

    def visit_Assign(self, node: ast.Assign) -> None:
        """Bind the targets."""
        self.generic_visit(node)
        for target in node.targets:
            self._bind(target, node.value)

    def visit_For(self, node: ast.For) -> None:
        """Bind the loop variable to the element."""
        iterated = node.iter
        if isinstance(iterated, ast.Call) and ast.unparse(iterated.func) == "enumerate":
            iterated = iterated.args[0]
            target = node.target.elts[-1] if isinstance(node.target, ast.Tuple) else node.target
        else:
            target = node.target
        outer = self.shape(iterated)
        outer.element = outer.element or Shape()
        if isinstance(target, ast.Name):
            self.names[target.id] = outer.element
        else:
            outer.element.element = outer.element.element or Shape()
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Bind the comprehension's variable to the element."""
        outer = self.shape(node.iter)
        outer.element = outer.element or Shape()
        if isinstance(node.target, ast.Name):
            self.names[node.target.id] = outer.element
        self.generic_visit(node)

    def _visit_comp(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        for generator in node.generators:
            self.visit(generator)
        self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _visit_comp  # noqa: N815

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        """Note context managers."""
        for item in node.items:
            found = self.shape(item.context_expr)
            found.context = True
            if isinstance(item.optional_vars, ast.Name):
                self.names[item.optional_vars.id] = found
        self.generic_visit(node)

    visit_AsyncWith = visit_With  # noqa: N815

    def visit_Raise(self, node: ast.Raise) -> None:
        """Note what is raised."""
        if node.exc is not None:
            self.shape(node.exc).raised = True
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Note arithmetic."""
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant | ast.JoinedStr):
            self.generic_visit(node)
            return
        for side, other in ((node.left, node.right), (node.right, node.left)):
            found = self.shape(side)
            if isinstance(other, ast.Constant):
                found.constants.append(other)
            found.numeric = found.numeric or not _text(other)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Note what it is compared with."""
        sides = [node.left, *node.comparators]
        for side in sides:
            found = self.shape(side)
            found.constants += [o for o in sides if isinstance(o, ast.Constant)]
            if isinstance(node.ops[0], ast.Lt | ast.Gt | ast.LtE | ast.GtE):
                found.numeric = found.numeric or not any(map(_text, sides))
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            outer = self.shape(node.comparators[0])
            outer.element = outer.element or Shape()
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Note calls whose result nobody keeps."""
        self.shape(node)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note attributes."""
        self.shape(node)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """Note items."""
        self.shape(node)
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        """Note awaitables."""
        self.shape(node)
        self.generic_visit(node)


def _merged(known: Shape | None, found: Shape) -> Shape:
    if known is None or known is found:
        return found
    known.attributes = {**found.attributes, **known.attributes}
    known.types += found.types
    known.element = known.element or found.element
    known.item = known.item or found.item
    known.numeric = known.numeric or found.numeric
    return known


def _text(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return True
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


def type_names(node: ast.expr) -> list[str]:
    """Return the names in the second argument of ``isinstance``."""
    if isinstance(node, ast.Tuple):
        return [name for part in node.elts for name in type_names(part)]
    if isinstance(node, ast.BinOp):
        return [*type_names(node.left), *type_names(node.right)]
    return [ast.unparse(node)]
