"""What to pass for a parameter: solved guards, hints, use in the body, the name, literals."""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.shapes import STRING_METHODS, Shape, shapes, type_names
from pytest_aipipe.engines.source.known import matches, used_like
from pytest_aipipe.engines.source.values import (
    ANYTHING,
    DICTS,
    IMPORTED,
    ITEM_KEYS,
    LISTS,
    NUMBERS,
    TEXTS,
    Value,
    by_name,
    is_item_key,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_aipipe.engines.analysis.module import Definition, ModuleView, Parameter

_DEPTH = 4
_QUOTES = frozenset("'\"")
_CONDITION = "Condition()"
_ANY_CALL = "lambda *args, **kwargs: "
_MODULES = ("functools", "io", "itertools", "math", "operator")


_OF_TEXT = frozenset({"Path", "PurePath", "Decimal", "Fraction", "StringIO", "TextIO"})


def fix_imports(expr: str) -> tuple[str, ...]:
    """Return the imports that the well-known names in a solved expression need."""
    found: list[str] = []
    for name, (_, statement) in IMPORTED.items():
        if name in expr and statement and re.search(rf"(?<![\w.]){name}[(.]", expr):
            found.append(statement)
    used = (n for n in _MODULES if re.search(rf"(?<![\w.'\"]){n}\.[a-z]", expr, re.IGNORECASE))
    return (*found, *(f"import {name}" for name in used))


def of(expr: str) -> Value:
    """Return an expression of well-known names as a value."""
    return Value(expr, imports=fix_imports(expr))


def resolved(module: ModuleView, expr: str) -> Value | None:
    """Return an expression with imports for the module's own names; None where one is unknown."""
    try:
        tree = syntax.parse(expr, mode="eval")
    except SyntaxError:
        return None
    bound = {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    known = fix_imports(expr)
    imports = list(known)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name) or node.id in bound or node.id in dir(builtins):
            continue
        if any(s.endswith(f" {node.id}") for s in known):
            continue
        definition = module.definitions.get(node.id)
        if node.id in module.imported:
            imports.append(module.imported[node.id])
        elif (definition is not None and definition.owner is None) or node.id in module.constants:
            imports.append(f"from {module.name} import {node.id}")
        else:
            return None
    return Value(expr, imports=tuple(imports))


def annotated(module: ModuleView, annotation: ast.expr | None) -> list[Value]:
    """Return values of a type hint."""
    if annotation is None:
        return []
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return annotated(module, syntax.parse(annotation.value, mode="eval").body)
        except SyntaxError:
            return []
    if isinstance(annotation, ast.BinOp):
        return alternating(annotated(module, annotation.left), annotated(module, annotation.right))
    if isinstance(annotation, ast.Constant):
        return [Value("None")] if annotation.value is None else []
    if isinstance(annotation, ast.Subscript):
        return _subscripted(module, annotation)
    name = ast.unparse(annotation).rsplit(".", 1)[-1]
    definition = module.definitions.get(ast.unparse(annotation))
    if definition is not None and definition.is_class and definition.owner is None:
        statement = f"from {module.name} import {definition.name}"
        return [Value(f"{definition.name}()", imports=(statement,))]
    return [replace(v, imports=(*v.imports, *fix_imports(v.expr))) for v in typed(name)]


def fitting(annotation: ast.expr | None, exprs: Sequence[str]) -> list[str]:
    """Return expressions with those first whose literal is of the hinted type."""
    outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    wanted = ast.unparse(outer).rsplit(".", 1)[-1].lower() if outer is not None else ""
    heads = {"str": "'\"", "list": "[", "sequence": "[", "iterable": "[", "dict": "{",
             "mapping": "{", "int": "-0123456789",
             "float": "-0123456789", "tuple": "("}  # fmt: skip
    made = ast.unparse(outer).rsplit(".", 1)[-1] if outer is not None else ""
    if made in _OF_TEXT:
        exprs = [
            f"{made.replace('TextIO', 'StringIO')}({e})" if e[:1] in "'\"" else e for e in exprs
        ]
    head = heads.get(wanted)
    return sorted(exprs, key=lambda e: e[:1] not in head) if head is not None else list(exprs)


def _subscripted(module: ModuleView, node: ast.Subscript) -> list[Value]:
    outer = ast.unparse(node.value).rsplit(".", 1)[-1]
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if outer == "Optional":
        return alternating(annotated(module, inner[0]), [Value("None")])
    if outer == "Union":
        return alternating(*(annotated(module, i) for i in inner))
    if outer == "Literal":
        return [Value(ast.unparse(i)) for i in inner]
    if outer in {"Annotated", "Final", "ClassVar", "Required"}:
        return annotated(module, inner[0])
    element = annotated(module, inner[-1])[:2]
    if outer in {"list", "List", "Sequence", "Iterable", "Collection", "MutableSequence"}:
        return [*(Value(f"[{e.expr}]", e.setup, e.imports) for e in element), Value("[]")]
    if outer in {"dict", "Dict", "Mapping", "MutableMapping"}:
        return [*(Value(f"{{'a': {e.expr}}}", e.setup, e.imports) for e in element), Value("{}")]
    if outer == "Callable":
        got = element or [Value("None")]
        return [Value(f"lambda *args, **kwargs: {e.expr}", e.setup, e.imports) for e in got]
    return list(typed(outer))


def shaped(shape: Shape | None, depth: int = 0) -> list[Value]:
    """Return stand-ins for something that is used like ``shape``."""
    if shape is None or depth > _DEPTH:
        return []
    found: list[Value] = []
    for name in shape.types:
        found += typed(name.rsplit(".", 1)[-1])[:1]
    names = frozenset(shape.attributes)
    if shape.methods and names <= STRING_METHODS:
        found += [Value(text) for text in TEXTS]
    found += used_like(shape)
    if shape.result is not None:
        found += [
            Value(f"lambda *args, **kwargs: {v.expr}", v.setup, v.imports)
            for v in (
                shaped(shape.result, depth + 1) or [Value("1"), Value("None"), Value("True")]
            )[:3]
        ]
    if shape.raised:
        found.append(Value("ValueError('wrong')"))
    if not found and names:
        found += _namespace(shape, depth)
    if shape.context and not names:
        found.append(Value("nullcontext()", imports=("from contextlib import nullcontext",)))
    if shape.item is not None:
        found += _container(shape, depth)
    if shape.element is not None:
        inner = shaped(shape.element, depth + 1)[:2]
        found += [Value(f"[{v.expr}]", v.setup, v.imports) for v in inner]
        found += [Value(text) for text in (*LISTS, "'ab'")]
    found += [Value(ast.unparse(c)) for c in shape.constants[:6] if c.value is not Ellipsis]
    if shape.numeric:
        found += [Value(text) for text in NUMBERS]
    if shape.sized and not found:
        found += [Value(text) for text in (TEXTS[0], LISTS[0], "''", "[]")]
    return unique(found)


def _namespace(shape: Shape, depth: int) -> list[Value]:
    parts: list[str] = []
    setup: list[str] = []
    imports = ["from types import SimpleNamespace"]
    for name, inner in shape.attributes.items():
        if name.startswith("__"):
            continue
        got = shaped(inner, depth + 1)
        value = got[0] if got else Value("'text'" if "name" in name else "1")
        parts.append(f"{name}={value.expr}")
        setup += value.setup
        imports += value.imports
    return [Value(f"SimpleNamespace({', '.join(parts)})", tuple(setup), tuple(imports))]


def _container(shape: Shape, depth: int) -> list[Value]:
    inner = (shaped(shape.item, depth + 1) or [Value("1")])[0]
    keys = [ast.unparse(k) for k in shape.keys if isinstance(k, ast.Constant)]
    texts = [k for k in keys if k[:1] in "'\""]
    if texts:
        body = ", ".join(f"{k}: {inner.expr}" for k in dict.fromkeys(texts))
        return [Value(f"{{{body}}}", inner.setup, inner.imports)]
    if keys:
        return [Value(f"[{inner.expr}, {inner.expr}]", inner.setup, inner.imports), Value("'ab'")]
    values = [Value(text) for text in DICTS]
    return [*values[1:2], *values[:1], Value("[1, 2, 3]"), Value("'ab'")]


def unique(values: Iterable[Value]) -> list[Value]:
    """Return values without repetition of their expressions."""
    return list({v.expr: v for v in values}.values())


def alternating(*groups: Iterable[Value]) -> list[Value]:
    """Return the groups' values in turns, without repetition."""
    turns: Iterator[tuple[Value | None, ...]] = zip_longest(*groups)
    return unique(v for turn in turns for v in turn if v is not None)


def values_for(
    module: ModuleView,
    definition: Definition,
    parameter: Parameter,
    *,
    solved: Sequence[str] = (),
    literals: Iterable[str] = (),
) -> list[Value]:
    """Return what to pass for ``parameter``, likeliest first; never empty."""
    body = shapes(definition.node)
    used = body.get(parameter.name)
    if definition.name == "__init__" and definition.receiver and definition.owner is not None:
        used = _stored_shape(module, definition, parameter.name) or used
    hints = annotated(module, parameter.annotation)
    if any(v.expr.startswith("re.search(") for v in hints):
        hints = [*matches(module), *hints]
    defaults = [Value(ast.unparse(parameter.default))] if parameter.default is not None else []
    plain = [
        v
        for v in defaults
        if v.expr in {"None", "True", "False"} or v.expr[:1] in "'\"-0123456789[("
    ]
    flipped = [Value({"True": "False", "False": "True"}.get(v.expr, "")) for v in plain]
    named = ITEM_KEYS if is_item_key(definition.name, parameter.name) else by_name(parameter.name)
    told = [of(t) for t in named]
    if _says_more(told, hints):
        groups = alternating(told, hints, shaped(used))
    else:
        groups = alternating(hints, shaped(used), told)
    first = [
        *(
            v
            for s in fitting(parameter.annotation, solved)
            if (v := resolved(module, s)) is not None
        ),
        *(v for v in flipped if v.expr),
    ]
    rest = [*(of(t) for t in literals), *(Value(t) for t in ANYTHING)]
    return unique([*alternating(first, groups), *groups, *rest])


def _says_more(told: Sequence[Value], hints: Sequence[Value]) -> bool:
    """Whether a name tells which text it is (``encoding``) and the hint only that it is one."""
    if not told or not hints or told[0].expr in TEXTS:
        return False
    return told[0].expr[:1] in _QUOTES and hints[0].expr in TEXTS


def with_one_condition(options: Mapping[str, list[Value]]) -> dict[str, list[Value]]:
    """Return ``options`` in which what is entered is the condition that is waited for.

    A condition works only with its lock held: two parameters, of which one is entered and the
    other waited for or notified, mean one and the same, whichever they are given by.
    """
    waiting = {n for n, values in options.items() if values and _CONDITION in values[0].expr}
    if not waiting:
        return dict(options)
    shared = {}
    for name, values in options.items():
        maker = _CONDITION if name in waiting else "nullcontext()"
        found = next((v for v in values if maker in v.expr), None)
        if found is None:
            shared[name] = values
            continue
        one = Value(
            found.expr.replace(maker, "condition"),
            (*found.setup, f"condition = {_CONDITION}"),
            tuple(dict.fromkeys((*found.imports, "from threading import Condition"))),
        )
        shared[name] = [one, *values]
    return shared


def with_named_results(options: Mapping[str, list[Value]]) -> dict[str, list[Value]]:
    """Return ``options`` in which a function that gives something to change gives one object.

    The test holds it by a name, so that what the code did to it can be asserted.
    """
    return {
        name: [_naming(value, f"{name}_result") for value in values]
        for name, values in options.items()
    }


def _naming(value: Value, name: str) -> Value:
    given = value.expr.removeprefix(_ANY_CALL)
    if given == value.expr or given[:1] not in "[{":
        return value
    return replace(value, expr=f"{_ANY_CALL}{name}", setup=(*value.setup, f"{name} = {given}"))


def _stored_shape(module: ModuleView, definition: Definition, name: str) -> Shape | None:
    """Return how the class uses the attribute that ``__init__`` stores a parameter in."""
    stored: str | None = None
    for node in ast.walk(definition.node):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Name)
            and node.value.id == name
        ):
            for target in node.targets:
                if isinstance(target, ast.Attribute):
                    stored = target.attr
    if stored is None or definition.owner is None:
        return None
    merged = Shape()
    for member in module.members(definition.owner):
        if member.receiver is None:
            continue
        own = shapes(member.node).get(member.receiver)
        used = own.attributes.get(stored) if own is not None else None
        if used is not None:
            merged.attributes.update(used.attributes)
            merged.types += used.types
            merged.result = merged.result or used.result
            merged.item = merged.item or used.item
            merged.element = merged.element or used.element
            merged.context = merged.context or used.context
            merged.numeric = merged.numeric or used.numeric
    return merged


__all__ = ["alternating", "annotated", "of", "shaped", "type_names", "unique", "values_for"]
