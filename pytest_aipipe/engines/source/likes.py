"""Uses of an instance that are no plain call: operators with its likes, hashes, aliases."""

from __future__ import annotations

import ast
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from pytest_aipipe.engines.source.invoke import attributes, invoke, receiver_name
from pytest_aipipe.engines.source.writer import Draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_aipipe.engines.analysis.module import Definition, ModuleView
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.source.values import Value

_STATES = 8
_MIRRORS = ("dict({0})", "dict.fromkeys({0})", "list({0})", "{0}", "copy.copy({0})", "str({0})")


def mirrors(
    situation: Situation, definition: Definition, receivers: Sequence[Value | None]
) -> Iterator[Draft]:
    """Yield operators between an instance and what is made of it: itself, its copy, its items."""
    owner = definition.owner
    binary = len([p for p in definition.parameters if p.required]) == 1
    if owner is None or not definition.name.startswith("__") or not binary:
        return
    known = [r for r in receivers[:8] if r is not None and definition.name != "__init__"]
    for other in _MIRRORS:
        for receiver in known:
            name = receiver_name(owner, receiver.imports)
            draft = invoke(situation.module, definition, [other.format(name)], receiver, Draft())
            yield draft.importing("import copy") if "copy" in other else draft


def hashes(definition: Definition, receivers: Sequence[Value | None]) -> Iterator[Draft]:
    """Yield comparisons of equal instances' hashes: a hash itself may differ from run to run."""
    if definition.name != "__hash__" or definition.owner is None:
        return
    for receiver in receivers[:8]:
        if receiver is not None:
            name = receiver_name(definition.owner, receiver.imports)
            draft = Draft().needing(receiver).then(f"{name} = {receiver.expr}")
            yield draft.then(f"same = {receiver.expr}", f"result = hash({name}) == hash(same)")


def aliases(definition: Definition, receivers: Sequence[Value | None]) -> Iterator[Draft]:
    """Yield uses of class attributes made from a method: ``size = property(_get_size)``."""
    owner = definition.owner
    if owner is None or not owner.is_class:
        return
    for node in owner.node.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        if not any(
            isinstance(n, ast.Name) and n.id == definition.name for n in ast.walk(node.value)
        ):
            continue
        for receiver in receivers[:4]:
            if receiver is not None:
                name = receiver_name(owner, receiver.imports)
                draft = Draft().needing(receiver).then(f"{name} = {receiver.expr}")
                yield draft.then(f"result = {name}.{node.targets[0].id}")
                yield draft.then(f"result = {name}.{node.targets[0].id}()")


def restored(
    module: ModuleView,
    definition: Definition,
    receivers: Sequence[Value | None],
    rows: Iterable[Sequence[Value]],
) -> Iterator[Draft]:
    """Yield ``__setstate__`` called with states: a copy gives it only what the object is in now."""
    if definition.name != "__setstate__" or definition.owner is None:
        return
    for row in islice(rows, _STATES):
        for receiver in receivers[:1]:
            if receiver is not None:
                imports = (*receiver.imports, *(one for v in row for one in v.imports))
                name = receiver_name(definition.owner, imports)
                draft = Draft().needing(receiver).then(f"{name} = {receiver.expr}")
                for value in row:
                    draft = draft.needing(value)
                draft = draft.then(f"{name}.__setstate__({', '.join(v.expr for v in row)})")
                yield replace(draft, observe=attributes(module, definition.owner, name))
