"""The state that a guard asks of an object: what its constructor or an attribute is given."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.mined import unique
from pytest_aipipe.engines.analysis.weigh import ranked
from pytest_aipipe.engines.source.arguments import values_for
from pytest_aipipe.engines.source.edits import Edit, called, parse
from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_aipipe.engines.analysis.guards import Guards
    from pytest_aipipe.engines.analysis.module import Definition, FunctionNode, ModuleView
    from pytest_aipipe.engines.situation import Situation

_CONSTRUCTORS = frozenset({"__init__", "__new__"})
_VALUES = 3


@dataclass(frozen=True, slots=True)
class State:
    """A keyword, what to pass for it, and the classes whose constructors take it."""

    name: str
    values: tuple[str, ...]
    classes: frozenset[str]


def attributes_read(tests: Iterable[ast.expr]) -> set[str]:
    """Return the attributes of any object that conditions ask for, without leading underscores.

    What an object was constructed with is most often kept under the parameter's name.
    """
    found: set[str] = set()
    for node in (one for test in tests for one in ast.walk(test)):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"getattr", "hasattr"}:
            found.update(
                a.value
                for a in node.args[1:2]
                if isinstance(a, ast.Constant) and isinstance(a.value, str)
            )
    return {name.lstrip("_") for name in found}


def states_of(situation: Situation) -> list[State]:
    """Return what the guards' objects could have been constructed with, by parameter."""
    read = attributes_read(c.test for g in situation.guards for c in g.conditions)
    values: dict[str, dict[str, None]] = {}
    classes: dict[str, set[str]] = {}
    for definition in situation.module.definitions.values():
        owner = definition.owner
        if definition.name not in _CONSTRUCTORS or owner is None:
            continue
        for parameter in definition.parameters:
            if parameter.name in read and parameter.kind in {"any", "keyword"}:
                made = values_for(situation.module, definition, parameter)
                plain = [v.expr for v in made if not v.setup and not v.imports and v.expr != "None"]
                values.setdefault(parameter.name, {}).update(dict.fromkeys(plain[:_VALUES]))
                taking = {owner.name, *_inheriting(situation.module, owner, parameter.name)}
                classes.setdefault(parameter.name, set()).update(taking)
    return [State(k, tuple(v)[:_VALUES], frozenset(classes[k])) for k, v in values.items()]


def _inheriting(module: ModuleView, owner: Definition, parameter: str) -> Iterator[str]:
    """Yield the subclasses whose constructors hand ``parameter`` on, or are the base's."""
    for child in module.subclasses(owner):
        own = next((m for m in module.members(child) if m.name in _CONSTRUCTORS), None)
        takes = own is None or any(p.kind == "stars" or p.name == parameter for p in own.parameters)
        if takes and child is not owner:
            yield child.name
            yield from _inheriting(module, child, parameter)


def state_edits(function: FunctionNode, states: Sequence[State]) -> Iterator[Edit]:
    """Yield the function with a state given to all objects of a class, the classes in turn."""
    nodes = list(ast.walk(function))
    for turn in range(_VALUES):
        for state in (one for one in states if turn < len(one.values)):
            value = parse(state.values[turn])
            places: dict[str, list[int]] = {}
            for index, node in enumerate(nodes):
                if isinstance(node, ast.Call) and called(node) in state.classes:
                    places.setdefault(called(node), []).append(index)
            if value is None:
                continue
            for chosen in places.values():
                made = _given(function, chosen, state.name, value)
                yield Edit(made, f"{state.name}={state.values[turn]}")


def _given(
    function: FunctionNode, chosen: Sequence[int], name: str, value: ast.expr
) -> FunctionNode:
    made = clone(function)
    nodes: Mapping[int, ast.AST] = dict(enumerate(ast.walk(made)))
    for index in chosen:
        call = nodes[index]
        if isinstance(call, ast.Call):
            call.keywords = [one for one in call.keywords if one.arg != name]
            call.keywords.append(ast.keyword(arg=name, value=clone(value)))
    return made


def of_its_own(owner: Definition, key: str, values: list[str], guard: Guards) -> list[str]:
    """Return what the class itself sets and then ``values``, those that do for the guard first.

    Among these, those come first that are of the kind of a collection that the class sets.
    """
    assigned = [
        node.value
        for node in ast.walk(owner.node)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr == key.removeprefix("self.")
    ]
    own = [ast.unparse(node) for node in assigned if isinstance(node, ast.Constant)]
    kinds = {type(node) for node in assigned if isinstance(node, ast.List | ast.Dict | ast.Set)}
    if kinds:
        values = sorted(values, key=lambda v: type(syntax.parse(v, mode="eval").body) not in kinds)
    return ranked(key, unique([*own, *values]), [guard])
