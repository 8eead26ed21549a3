"""The way a definition is called in a test: plainly, on an instance, by an operator, awaited."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.source.instances import import_of
from pytest_aipipe.engines.source.writer import Draft, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_aipipe.engines.analysis.module import Definition, ModuleView
    from pytest_aipipe.engines.source.values import Value

_BINARY = {
    "__add__": "+", "__sub__": "-", "__mul__": "*", "__truediv__": "/", "__floordiv__": "//",
    "__mod__": "%", "__pow__": "**", "__matmul__": "@", "__and__": "&", "__or__": "|",
    "__xor__": "^",
    "__lshift__": "<<", "__rshift__": ">>", "__eq__": "==", "__ne__": "!=", "__lt__": "<",
    "__le__": "<=", "__gt__": ">", "__ge__": ">=",
}  # fmt: skip
_REFLECTED = {f"__r{name[2:]}": op for name, op in _BINARY.items()}
_INPLACE = {
    f"__i{name[2:]}": op
    for name, op in _BINARY.items()
    if op not in {"==", "!=", "<", "<=", ">", ">="}
}
_UNARY = {
    "__len__": "len({0})", "__repr__": "repr({0})", "__str__": "str({0})", "__hash__": "hash({0})",
    "__bool__": "bool({0})", "__iter__": "list({0})", "__reversed__": "list(reversed({0}))",
    "__neg__": "-{0}", "__pos__": "+{0}", "__abs__": "abs({0})", "__invert__": "~{0}",
    "__int__": "int({0})", "__float__": "float({0})", "__index__": "[1, 2, 3][{0}:]",
    "__next__": "next({0})", "__bytes__": "bytes({0})", "__dir__": "dir({0})",
    "__copy__": "copy.copy({0})", "__reduce__": "copy.copy({0})", "__getstate__": "copy.copy({0})",
    "__setstate__": "copy.copy({0})", "__deepcopy__": "copy.deepcopy({0})",
    "__complex__": "complex({0})", "__fspath__": "os.fspath({0})", "__ceil__": "math.ceil({0})",
    "__floor__": "math.floor({0})", "__trunc__": "math.trunc({0})",
    "__sizeof__": "{0}.__sizeof__()",
}  # fmt: skip
_SHADOWED = frozenset({"list", "dict", "set", "type", "str"})
_AWAITED = frozenset({"__aiter__", "__anext__", "__aenter__", "__aexit__"})
_MOST_ITEMS = 20  # an iterator may be endless
_WITH_ARGUMENT = {
    "__getitem__": "{0}[{1}]", "__contains__": "{1} in {0}", "__format__": "format({0}, {1})",
    "__round__": "round({0}, {1})", "__getattr__": "getattr({0}, {1})",
    "__getattribute__": "getattr({0}, {1})", "__missing__": "{0}[{1}]",
    "__divmod__": "divmod({0}, {1})",
}  # fmt: skip
_STATEMENTS = {
    "__setitem__": "{0}[{1}] = {2}", "__delitem__": "del {0}[{1}]",
    "__setattr__": "setattr({0}, {1}, {2})", "__delattr__": "delattr({0}, {1})",
}  # fmt: skip


def invoke(
    module: ModuleView,
    definition: Definition,
    arguments: Sequence[str],
    instance: Value | None,
    draft: Draft,
) -> Draft:
    """Return ``draft`` with the call of ``definition`` added, its outcome in ``result``."""
    if definition.binding in {"function", "class"}:
        draft = draft.importing(import_of(module, definition))
        return _finished(draft, definition, f"{definition.qualname}({', '.join(arguments)})")
    owner = definition.owner
    if owner is None:
        return draft
    if definition.binding in {"classmethod", "static"} and definition.name != "__init_subclass__":
        draft = draft.importing(import_of(module, owner))
        return _finished(draft, definition, f"{definition.qualname}({', '.join(arguments)})")
    if instance is None:
        return draft
    if definition.name in {"__init__", "__new__", "__post_init__"}:
        draft = draft.importing(import_of(module, owner))
        made = f"result = {owner.qualname}({', '.join(arguments)})"
        return replace(draft.then(made), observe=attributes(module, owner))
    draft = draft.needing(instance)
    name = receiver_name(owner, draft.imports)
    draft = draft.then(f"{name} = {instance.expr}")
    return on_instance(module, definition, arguments, name, draft)


def on_instance(
    module: ModuleView, definition: Definition, arguments: Sequence[str], name: str, draft: Draft
) -> Draft:
    """Return ``draft`` with ``definition`` invoked on the local ``name``."""
    if definition.binding == "property":
        return _finished(draft, definition, f"{name}.{definition.name}")
    if definition.binding == "setter":
        value = arguments[0] if arguments else "1"
        return replace(draft.then(f"{name}.{definition.name} = {value}"),
                       observe=(f"{name}.{definition.name}",))  # fmt: skip
    special = _special(definition.name, name, list(arguments))
    if definition.name in _AWAITED:
        return _awaited(definition, name, draft)
    if definition.name == "__iter__" and definition.is_generator:
        return _finished(draft, definition, name)
    if special is not None:
        imports = [f"import {m}" for m in ("copy", "os", "math") if f"{m}." in special]
        draft = draft.importing(*imports)
        if special.startswith("stmt:"):
            return replace(draft.then(special[5:]), observe=(name, f"list({name})", f"len({name})"))
        return draft.then(special)
    call = f"{name}.{definition.name}({', '.join(arguments)})"
    done = _finished(draft, definition, call)
    if definition.owner is not None:
        return replace(done, observe=("result", *attributes(module, definition.owner, name)[1:]))
    return done


def _special(dunder: str, name: str, arguments: list[str]) -> str | None:
    padded = [_operand(one) for one in [*arguments, "0", "1"]]
    if dunder in _BINARY:
        return f"result = {name} {_BINARY[dunder]} {padded[0]}"
    if dunder in _REFLECTED:
        return f"result = {padded[0]} {_REFLECTED[dunder]} {name}"
    if dunder in _INPLACE:
        return f"stmt:{name} {_INPLACE[dunder]}= {padded[0]}"
    if dunder in _UNARY:
        return "result = " + _UNARY[dunder].format(name)
    if dunder in _WITH_ARGUMENT:
        return "result = " + _WITH_ARGUMENT[dunder].format(name, *padded)
    if dunder in _STATEMENTS:
        return "stmt:" + _STATEMENTS[dunder].format(name, *padded)
    if dunder == "__call__":
        return f"result = {name}({', '.join(arguments)})"
    if dunder in {"__enter__", "__exit__"}:
        return f"with {name} as result:\n    pass"
    return None


def _awaited(definition: Definition, name: str, draft: Draft) -> Draft:
    """Return ``draft`` with ``async for`` over the local ``name``, or ``async with`` on it."""
    if definition.name in {"__aenter__", "__aexit__"}:
        body = f"async def act():\n    async with {name} as entered:\n        return entered"
    else:
        body = (
            "async def act():\n"
            "    found = []\n"
            f"    async for item in {name}:\n"
            "        found.append(item)\n"
            f"        if len(found) == {_MOST_ITEMS}:\n"
            "            break\n"
            "    return found"
        )
    return draft.importing("import asyncio").then(body, "result = asyncio.run(act())")


def _operand(expr: str) -> str:
    """Return an expression as it has to be written beside an operator."""
    try:
        node = syntax.parse(expr, mode="eval").body
    except SyntaxError:
        return expr
    loose = ast.Lambda | ast.IfExp | ast.BoolOp | ast.Compare | ast.BinOp | ast.Await
    return f"({expr})" if isinstance(node, loose) or not expr.strip() else expr


def _finished(draft: Draft, definition: Definition, call: str) -> Draft:
    looks = {d.rsplit(".", 1)[-1] for d in definition.decorators}
    if "contextmanager" in looks:
        return draft.then(f"with {call} as result:\n    pass")
    if definition.is_async:
        wrapped = f"[item async for item in {call}]" if definition.is_generator else f"await {call}"
        body = f"async def act():\n    return {wrapped}"
        return draft.importing("import asyncio").then(body, "result = asyncio.run(act())")
    if definition.is_generator:
        return draft.importing("from itertools import islice").then(
            f"result = list(islice({call}, {_MOST_ITEMS}))"
        )
    return draft.then(f"result = {call}")


def receiver_name(owner: Definition, imports: Iterable[str] = ()) -> str:
    """Return the local name for an instance of ``owner``: none that ``imports`` bind.

    ``box = box.Box()`` would read the name before it is given.
    """
    name = identifier(owner.name)
    taken = _SHADOWED.union(*map(bound_by, imports))
    return name if name.isidentifier() and name not in taken else "subject"


@lru_cache(maxsize=1024)
def bound_by(statement: str) -> frozenset[str]:
    """Return the names that an import statement binds; none for any other source."""
    try:
        tree = syntax.parse(statement)
    except SyntaxError:
        return frozenset()
    return frozenset(
        (one.asname or one.name.split(".")[0])
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in node.names
    )


def attributes(module: ModuleView, owner: Definition, name: str = "result") -> tuple[str, ...]:
    """Return public attributes worth observing after ``owner`` was built or changed."""
    found: dict[str, None] = {name: None}
    for member in module.members(owner):
        if member.name == "__init__":
            for node in ast.walk(member.node):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.ctx, ast.Store)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == member.receiver
                    and not node.attr.startswith("_")
                ):
                    found[f"{name}.{node.attr}"] = None
    return tuple(found)[:8]
