"""Edits of a test file that keep its layout: parameters, statements, imports, fixtures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import libcst as cst
from libcst.codemod import CodemodContext
from libcst.codemod.visitors import AddImportsVisitor

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Function = cst.FunctionDef


class Source:
    """One file's tree. Methods return a new :class:`Source`."""

    def __init__(self, module: cst.Module) -> None:
        self.module = module

    @classmethod
    def of(cls, text: str) -> Source:
        """Parse ``text``."""
        return cls(cst.parse_module(text))

    @property
    def text(self) -> str:
        """The file's text."""
        return self.module.code

    def function(self, names: Sequence[str]) -> Function | None:
        """Return the function of that qualified name."""
        body: Sequence[Any] = self.module.body
        for position, name in enumerate(names):
            last = position == len(names) - 1
            kind = cst.FunctionDef if last else cst.ClassDef
            found = [n for n in body if isinstance(n, kind) and n.name.value == name]
            if not found:
                return None
            if last:
                return found[-1] if isinstance(found[-1], cst.FunctionDef) else None
            body = found[-1].body.body
        return None

    def in_unittest(self, names: Sequence[str]) -> bool:
        """Whether the test is a method of a ``unittest.TestCase`` as far as its file shows."""
        classes = [
            n for n in self.module.body if isinstance(n, cst.ClassDef) and n.name.value == names[0]
        ]
        bases = [self.module.code_for_node(arg.value) for one in classes for arg in one.bases]
        return any(base.endswith("TestCase") for base in bases)

    def edited(self, names: Sequence[str], edit: Callable[[Function], Function]) -> Source:
        """Return the file with one function changed."""
        target = self.function(names)
        if target is None:
            return self
        return Source(cst.ensure_type(self.module.deep_replace(target, edit(target)), cst.Module))

    def with_import(self, module: str, name: str | None = None) -> Source:
        """Return the file with an import that it needs, if it is not there."""
        context = CodemodContext()
        AddImportsVisitor.add_needed_import(context, module, name)
        return Source(AddImportsVisitor(context).transform_module(self.module))

    def with_code(self, code: str, before: str) -> Source:
        """Return the file with top-level ``code`` in front of the definition ``before``."""
        added = list(cst.parse_module(code).body)
        body = list(self.module.body)
        for index, node in enumerate(body):
            if isinstance(node, cst.FunctionDef | cst.ClassDef) and node.name.value == before:
                lines = node.leading_lines
                blanks = [cst.EmptyLine(indent=False)] * 2
                first = added[0].with_changes(leading_lines=lines or blanks)
                rest = [one.with_changes(leading_lines=blanks) for one in added[1:]]
                target = node.with_changes(leading_lines=blanks)
                body[index : index + 1] = [first, *rest, target]
                return Source(self.module.with_changes(body=body))
        return self

    def free_name(self, wanted: str) -> str:
        """Return ``wanted``, numbered where the file has it already."""
        taken, name, number = set(re.findall(r"\w+", self.text)), wanted, 2
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        return name


def with_parameter(function: Function, name: str) -> Function:
    """Return the function with one more parameter: a fixture that it asks for."""
    known = [one.name.value for one in function.params.params]
    if name in known:
        return function
    added = cst.Param(cst.Name(name))
    params = [*function.params.params]
    if params and params[-1].default is not None:
        first = next(i for i, one in enumerate(params) if one.default is not None)
        params.insert(first, added)
    else:
        params.append(added)
    return function.with_changes(params=function.params.with_changes(params=params))


def with_statements(function: Function, code: str) -> Function:
    """Return the function with statements in front of its own, after its docstring."""
    body = list(function.body.body) if isinstance(function.body, cst.IndentedBlock) else []
    if not body:
        return function
    at = 1 if _is_docstring(body[0]) else 0
    body[at:at] = list(cst.parse_module(code).body)
    return function.with_changes(body=function.body.with_changes(body=body))


def with_mark(function: Function, mark: str) -> Function:
    """Return the function with one more decorator, above those that it has."""
    decorator = cst.Decorator(cst.parse_expression(mark))
    lines = function.leading_lines
    if function.decorators:
        first = function.decorators[0]
        decorator = decorator.with_changes(leading_lines=first.leading_lines)
        rest = [first.with_changes(leading_lines=[]), *function.decorators[1:]]
        return function.with_changes(decorators=[decorator, *rest], leading_lines=lines)
    return function.with_changes(decorators=[decorator])


def _is_docstring(node: Any) -> bool:
    if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], cst.Expr):
        return False
    return isinstance(node.body[0].value, cst.SimpleString | cst.ConcatenatedString)


def with_fixture(
    source: Source, names: Sequence[str], *, name: str, code: str, imports: Sequence[str]
) -> Source:
    """Return the file with a fixture (``{name}`` in ``code``) that the test ``names`` uses."""
    final = source.free_name(name)
    made = code.replace("{name}", final)
    use = f'pytest.mark.usefixtures("{final}")'
    edited = source.edited(names, lambda f: with_mark(f, use)).with_code(made, names[0])
    for module in ("pytest", *imports):
        edited = edited.with_import(module)
    return edited


def start_of(text: str, names: Sequence[str]) -> int:
    """Return the line of a function's ``def``, 0 where it is not there."""
    body: Sequence[Any] = syntax.parse(text).body
    line = 0
    for name in names:
        found = [node for node in body if getattr(node, "name", None) == name]
        if not found:
            return 0
        line, body = found[-1].lineno, found[-1].body
    return line
