"""Ways to look at an object that may bring a changed method of it to light."""

from __future__ import annotations

import ast
from itertools import islice
from typing import TYPE_CHECKING

from pytest_aipipe.engines.analysis.solve import solve
from pytest_aipipe.engines.source.edits import in_turns
from pytest_aipipe.engines.source.rows import argument_rows
from pytest_aipipe.engines.techniques.construct import routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.analysis.module import Definition
    from pytest_aipipe.engines.situation import Situation

_ROWS = 24
_MOST = 80
_MOST_NAMES = 16
_METHODS = frozenset({"method", "property", "classmethod"})

BY_METHOD: dict[str, tuple[str, ...]] = {
    "__eq__": (
        "{} == {other}",
        "{} == dict.fromkeys({})",
        "{} == list({})",
        "{} == None",
        "{} == dict({})",
        "{} == object()",
    ),
    "__ne__": ("{} != {other}", "{} != dict.fromkeys({})", "{} != list({})", "{} != None"),
    "__lt__": ("{} < {other}", "{} < None", "sorted([{}, {other}])"),
    "__le__": ("{} <= {other}", "{} <= None"),
    "__gt__": ("{} > {other}", "{} > None"),
    "__ge__": ("{} >= {other}", "{} >= None"),
    "__hash__": ("hash({}) == hash({other})", "len({{}, {other}})"),
    "__getitem__": ("{}[0]", "{}[-1]", "{}[1:3]", "{}[-2:]", "{}[::2]", "{}[None]", "{}['x']"),
    "__delitem__": ("{}.__delitem__(0)", "{}.__delitem__(slice(0, 1))"),
    "__contains__": ("None in {}", "0 in {}", "'' in {}", "{other} in {}"),
    "__iter__": ("list({})", "list({})[:3]", "next(iter({}), None)"),
    "__reversed__": ("list(reversed({}))",),
    "__len__": ("len({})", "bool({})"),
    "__bool__": ("bool({})",),
    "__str__": ("str({})", "f'{{}}'"),
    "__repr__": ("repr({})",),
    "__add__": ("{} + {other}", "{} + 1", "{} + []"),
    "__sub__": ("{} - {other}", "{} - 1"),
    "__and__": ("{} & {other}",),
    "__or__": ("{} | {other}",),
    "__xor__": ("{} ^ {other}",),
    "__mul__": ("{} * 2", "{} * 0", "{} * -1"),
    "__call__": ("{}()", "{}(None)", "{}(1)"),
    "__get__": ("type({}).{attribute}", "{}.{attribute}"),
    "__enter__": ("{}.__enter__()",),
    "__reduce__": ("__import__('copy').copy({})", "__import__('copy').deepcopy({})"),
    "__copy__": ("__import__('copy').copy({})",),
    "__deepcopy__": ("__import__('copy').deepcopy({})",),
}
"""What in a test runs a special method; ``{}`` is the object, ``{other}`` another one,
``{attribute}`` an attribute that the test reads of one."""

ANYWAY = (
    "str({})", "repr({})", "len({})", "list({})", "{}[1:3]", "list({}[1:4])", "list({}[-2:])",
    "{} == {other}", "bool({})", "{}.__dict__",
)  # fmt: skip
"""What is worth a look whatever method changed: private ones are reached through these."""


def looks(*situations: Situation) -> list[str]:
    """Return ways to look at an object, those that run the changed methods themselves first.

    The situations are those of the base and of the head at one place.
    """
    streams = [
        _of_method(situation, definition)
        for situation in situations
        for definition in routes(situation)
        if definition.binding in _METHODS
    ]
    found = list(islice(in_turns(streams), _MOST))
    return list(dict.fromkeys([*found, *ANYWAY])) if found else list(ANYWAY)


def bound_names(*situations: Situation) -> list[str]:
    """Return the public attributes that the changed code defines or sets, on either side."""
    found: dict[str, None] = {}
    for situation in situations:
        for definition in situation.targets:
            for node in ast.walk(definition.node):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    found[node.attr] = None
            if definition.is_class or definition.owner is not None:
                owner = definition if definition.is_class else definition.owner
                members = situation.module.members(owner) if owner is not None else ()
                found.update(dict.fromkeys(member.name for member in members))
    return [name for name in found if not name.startswith("_")][:_MOST_NAMES]


def _of_method(situation: Situation, definition: Definition) -> Iterator[str]:
    special = BY_METHOD.get(definition.name)
    if special is not None:
        yield from special
    elif definition.binding == "property":
        yield f"{{}}.{definition.name}"
    elif not definition.name.startswith("__"):
        rows = argument_rows(situation, definition, solve(situation.guards))
        for row in islice(rows, _ROWS):
            if any(value.setup or value.imports for value in row):
                continue
            arguments = ", ".join(value.expr for value in row)
            yield f"{{}}.{definition.name}({arguments})"
