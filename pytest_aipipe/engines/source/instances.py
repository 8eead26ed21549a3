"""How to build an instance of a class of the module."""

from __future__ import annotations

import ast
from itertools import islice
from typing import TYPE_CHECKING

from pytest_aipipe.engines.analysis.bases import constructor_of
from pytest_aipipe.engines.analysis.module import Definition, ModuleView, Parameter
from pytest_aipipe.engines.source.arguments import resolved, unique, values_for
from pytest_aipipe.engines.source.usages import usages
from pytest_aipipe.engines.source.values import Value
from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_aipipe.engines.situation import Situation

_OF_EACH = 6  # of each subclass of a class that cannot be built itself


def instances(
    situation: Situation, owner: Definition, solved: Mapping[str, Sequence[str]]
) -> list[Value]:
    """Return ways to get an instance, as the tests do it first; never raises, may be empty."""
    module = situation.module
    found: list[Value] = list(islice(usages(situation, owner.name), 6))
    statement = import_of(module, owner)
    name = owner.qualname
    if is_enum(owner):
        return [Value(f"{name}.{m}", imports=(statement,)) for m in members_of(owner)]
    abstract = abstract_methods(module, owner)
    root = situation.scene.root
    own = module.method(owner, "__init__") or module.method(owner, "__new__")
    fields = fields_of(owner) if own is None else []
    constructor = own if fields else constructor_of(module, owner, root)
    if abstract:
        made = [*_of_subclasses(situation, owner, solved, _OF_EACH), *found]
        return unique([*made, *_concrete(module, owner, abstract, statement)])
    if constructor is None:
        arguments = [_argument(module, owner, p, solved) for p in fields]
        found += [built(name, statement, arguments)]
    else:
        found += constructed(module, owner, constructor, solved, statement)
    for factory in module.members(owner):
        if factory.binding == "classmethod" and not factory.name.startswith("_"):
            arguments = [
                _argument(module, factory, p, {}) for p in factory.parameters if p.required
            ]
            found.append(built(f"{name}.{factory.name}", statement, arguments))
    return unique([*found, *_of_subclasses(situation, owner, solved, 2)])


def _of_subclasses(
    situation: Situation, owner: Definition, solved: Mapping[str, Sequence[str]], most: int
) -> list[Value]:
    """Return instances of the subclasses that leave nothing abstract, ``most`` of each."""
    module, found = situation.module, list[Value]()
    for child in module.subclasses(owner)[:3]:
        if child.owner is None and not abstract_methods(module, child):
            made = constructor_of(module, child, situation.scene.root)
            where = import_of(module, child)
            if made is None:
                found.append(built(child.name, where, []))
            else:
                found += unique(constructed(module, child, made, solved, where))[:most]
    return found


def import_of(module: ModuleView, definition: Definition) -> str:
    """Return the statement that imports a definition's outermost holder."""
    return f"from {module.name} import {definition.qualname.split('.')[0]}"


def constructed(
    module: ModuleView,
    owner: Definition,
    constructor: Definition,
    solved: Mapping[str, Sequence[str]],
    statement: str,
) -> list[Value]:
    """Return calls of a constructor: the fewest arguments, then one more or one other at a time."""
    required = [p for p in constructor.parameters if p.required]
    base = {p.name: _argument(module, constructor, p, solved) for p in required}
    found = [built(owner.qualname, statement, list(base.values()))]
    plain = {p.name: _plainest(module, constructor, p) for p in required}
    found.append(built(owner.qualname, statement, list(plain.values())))
    if any(p.kind == "star" for p in constructor.parameters):
        passed = ("[('a', 1), ('b', 2)]", "{'a': 1}", "[1, 2, 3]", "1, 2")
        found += [built(owner.qualname, statement, [*base.values(), Value(e)]) for e in passed]
    for turn in range(3):  # everything that the guards ask for at once
        chosen = dict(base)
        for parameter in constructor.parameters:
            attribute = stored_in(constructor, parameter.name)
            wanted = [*solved.get(parameter.name, ()), *solved.get(f"self.{attribute}", ())]
            if wanted and parameter.kind not in {"star", "stars"}:
                value = resolved(module, wanted[min(turn, len(wanted) - 1)])
                if value is not None:
                    chosen[parameter.name] = _keyworded(parameter, value)
        found.append(built(owner.qualname, statement, list(chosen.values())))
    for parameter in constructor.parameters:
        if parameter.kind in {"star", "stars"}:
            continue
        attribute = stored_in(constructor, parameter.name)
        wanted = [*solved.get(parameter.name, ()), *solved.get(f"self.{attribute}", ())]
        values = values_for(module, constructor, parameter, solved=wanted)
        for value in values[: 2 + min(4, len(wanted))]:
            pair = (parameter.name, _keyworded(parameter, value))
            found.append(
                built(owner.qualname, statement, list({**base, pair[0]: pair[1]}.values()))
            )
    return found


def stored_in(constructor: Definition, name: str) -> str:
    """Return the attribute that a constructor's parameter ends up in; its own name by default."""
    for node in ast.walk(constructor.node):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            used = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
            for target in targets:
                if isinstance(target, ast.Attribute) and name in used:
                    return target.attr
    return name


def _argument(
    module: ModuleView,
    definition: Definition,
    parameter: Parameter,
    solved: Mapping[str, Sequence[str]],
) -> Value:
    wanted = solved.get(parameter.name, ())
    return _keyworded(parameter, values_for(module, definition, parameter, solved=wanted)[0])


def _plainest(module: ModuleView, definition: Definition, parameter: Parameter) -> Value:
    """Return an empty value where one fits: what an odd element cannot spoil."""
    values = values_for(module, definition, parameter)
    return next((v for v in values[:6] if v.expr in {"[]", "''", "{}", "None"}), values[0])


def _keyworded(parameter: Parameter, value: Value) -> Value:
    if parameter.kind == "positional" or (parameter.kind == "any" and parameter.required):
        return value
    return Value(f"{parameter.name}={value.expr}", value.setup, value.imports)


def built(name: str, statement: str, arguments: Sequence[Value]) -> Value:
    """Return a call of ``name``, what is passed by its place first."""
    ordered = sorted(arguments, key=lambda v: "=" in v.expr.split("(")[0])
    return Value(
        f"{name}({', '.join(v.expr for v in ordered)})",
        tuple(s for v in arguments for s in v.setup),
        (statement, *(i for v in arguments for i in v.imports)),
    )


def fields_of(owner: Definition) -> list[Parameter]:
    """Return the fields of a dataclass or named tuple as parameters."""
    looks = {d.rsplit(".", 1)[-1] for d in owner.decorators}
    bases = owner.node.bases if isinstance(owner.node, ast.ClassDef) else []
    named = any(ast.unparse(b).endswith(("NamedTuple", "BaseModel")) for b in bases)
    if not named and not looks & {"dataclass", "define", "frozen", "attrs", "s"}:
        return []
    return [
        Parameter(n.target.id, "any", None, n.annotation)
        for n in owner.node.body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name) and n.value is None
    ]


def is_enum(owner: Definition) -> bool:
    """Whether a class is an enumeration."""
    bases = owner.node.bases if isinstance(owner.node, ast.ClassDef) else []
    return any(
        ast.unparse(b).rsplit(".", 1)[-1] in {"Enum", "IntEnum", "StrEnum", "Flag"} for b in bases
    )


def members_of(owner: Definition) -> list[str]:
    """Return the names that an enumeration's body binds."""
    return [
        t.id
        for n in owner.node.body
        if isinstance(n, ast.Assign)
        for t in n.targets
        if isinstance(t, ast.Name) and not t.id.startswith("_")
    ]


def abstract_methods(module: ModuleView, owner: Definition) -> list[Definition]:
    """Return the methods that a class leaves to its subclasses."""
    return [
        d for d in module.members(owner) if any(x.endswith("abstractmethod") for x in d.decorators)
    ]


def _concrete(
    module: ModuleView, owner: Definition, abstract: Sequence[Definition], statement: str
) -> list[Value]:
    lines = [f"class Concrete({owner.qualname}):"]
    for definition in abstract:
        if definition.binding == "property":
            lines.append("    @property")
        prefix = "async def" if definition.is_async else "def"
        lines += [f"    {prefix} {definition.name}({_bare(definition)}):", "        return 1"]
    constructor = module.method(owner, "__init__")
    parameters = constructor.parameters if constructor is not None else ()
    arguments = [
        _argument(module, constructor, p, {})
        for p in parameters
        if p.required and constructor is not None
    ]
    made = built("Concrete", statement, arguments)
    return [Value(made.expr, ("\n".join(lines), *made.setup), made.imports)]


def _bare(definition: Definition) -> str:
    """Return a signature that takes the same arguments and names nothing of the module."""
    if isinstance(definition.node, ast.ClassDef):
        return "self"
    args = clone(definition.node.args)
    for node in ast.walk(args):
        if isinstance(node, ast.arg):
            node.annotation = None
    args.defaults = [ast.Constant(None) for _ in args.defaults]
    args.kw_defaults = [one and ast.Constant(None) for one in args.kw_defaults]
    return ast.unparse(args)
