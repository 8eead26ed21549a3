"""Instances of the project's own classes, wherever defined, by the hints that name them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.bases import constructor_of, imported_definition
from pytest_aipipe.engines.source.arguments import values_for
from pytest_aipipe.engines.source.instances import (
    abstract_methods,
    built,
    fields_of,
    import_of,
    is_enum,
    members_of,
)
from pytest_aipipe.engines.source.invoke import bound_by
from pytest_aipipe.engines.source.values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_aipipe.engines.analysis.module import Definition, ModuleView

_DEEP = 3  # instances that are made to make one


def hinted(
    module: ModuleView, annotation: ast.expr | None, root: Path, deep: int = _DEEP
) -> Value | None:
    """Return an instance of the first class of the project that a hint names; None: of none."""
    for name in _names(annotation) if deep else ():
        here = module.definitions.get(name)
        found = (module, here) if here is not None else imported_definition(module, name, root)
        if found is not None and found[1].is_class and found[1].owner is None:
            return _instance(*found, root, deep)
    return None


def held(value: Value, name: str) -> Value:
    """Return ``value`` as a local variable: what a call does to an object can then be asserted."""
    taken = frozenset[str]().union(*map(bound_by, value.imports))
    if not value.expr.endswith(")") or name in taken:
        return value
    return Value(name, (*value.setup, f"{name} = {value.expr}"), value.imports)


def _names(annotation: ast.expr | None) -> list[str]:
    """Return the names in a hint, also those in quotes; those of its parts are left out."""
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                return _names(syntax.parse(text, mode="eval").body)
            except SyntaxError:
                return []
        case ast.Name() | ast.Attribute():
            return [ast.unparse(annotation)]
        case ast.BinOp(left=left, right=right):
            return [*_names(left), *_names(right)]
        case ast.Subscript(value=outer, slice=inner):
            last = ast.unparse(outer).rsplit(".", 1)[-1]
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            wraps = last in {"Optional", "Union", "Annotated", "Final"}
            return [name for part in parts for name in _names(part)] if wraps else _names(outer)
        case _:
            return []


def _instance(module: ModuleView, owner: Definition, root: Path, deep: int) -> Value | None:
    statement = import_of(module, owner)
    if is_enum(owner):
        return next((Value(f"{owner.name}.{m}", (), (statement,)) for m in members_of(owner)), None)
    if abstract_methods(module, owner):
        return None
    constructor = constructor_of(module, owner, root)
    parameters = fields_of(owner) if constructor is None else constructor.parameters
    maker = constructor or owner
    arguments = []
    for one in parameters:
        if one.required and one.kind not in {"star", "stars"}:
            value = hinted(module, one.annotation, root, deep - 1)
            value = value or values_for(module, maker, one)[0]
            prefix = f"{one.name}=" if one.kind == "keyword" else ""
            arguments.append(Value(f"{prefix}{value.expr}", value.setup, value.imports))
    return built(owner.name, statement, arguments)
