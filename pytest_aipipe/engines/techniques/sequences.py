"""Several calls on one object: what the object went through decides where the next call goes."""

from __future__ import annotations

import ast
from itertools import islice
from typing import TYPE_CHECKING

from pytest_aipipe.engines.source.arguments import values_for
from pytest_aipipe.engines.source.instances import instances
from pytest_aipipe.engines.source.invoke import on_instance, receiver_name
from pytest_aipipe.engines.source.writer import Draft, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.engines.analysis.module import Definition
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.source.values import Value
    from pytest_aipipe.engines.techniques.base import Proposals
    from pytest_aipipe.generate.model import Candidate

_BATCH = 14
_MOST = 160
_DUNDERS = {
    "__setitem__",
    "__delitem__",
    "__getitem__",
    "__iter__",
    "__contains__",
    "__len__",
    "__eq__",
}
_FILLING = {"__setitem__", "add", "append", "insert", "put", "push", "set", "update", "extend"}
_MOST_FILLS = 6


class Sequences:
    """Up to four calls: mutators of the class, then the target."""

    name = "sequence"

    def propose(self, situation: Situation) -> Proposals:
        """Yield sequences that end in the gap's method, shorter ones first."""
        candidates = islice(self._all(situation), _MOST)
        while batch := list(islice(candidates, _BATCH)):
            yield batch

    def _all(self, situation: Situation) -> Iterator[Candidate]:
        for target in situation.targets:
            if (
                target.owner is None
                or not target.owner.is_class
                or target.binding not in {"method", "property"}
            ):
                continue
            last = [target]
            if target.name.startswith("_") and not target.name.endswith("__"):
                last = [c for c in situation.callers(target) if c.owner is target.owner] or last
            made = instances(situation, target.owner, situation.answers())[:4]
            moves = self._moves(situation, target.owner)
            yield from self._filled(situation, target.owner, made, moves, last[0])
            for length in (1, 2, 3):
                for _ in range(24):
                    if not made or not moves:
                        return
                    yield from self._one(situation, target.owner, made, moves, last, length)

    def _moves(self, situation: Situation, owner: Definition) -> list[Definition]:
        """Return the methods that can be called in between, the class's own before inherited."""
        found: dict[str, Definition] = {}
        todo, seen = [owner], {owner.qualname}
        while todo:
            one = todo.pop(0)
            for method in situation.module.members(one):
                if method.binding == "method":
                    found.setdefault(method.name, method)
            for base in getattr(one.node, "bases", []):
                parent = situation.module.definitions.get(ast.unparse(base))
                if parent is not None and parent.qualname not in seen:
                    seen.add(parent.qualname)
                    todo.append(parent)
        return [d for d in found.values() if not d.name.startswith("_") or d.name in _DUNDERS]

    def _filled(
        self, situation: Situation, owner: Definition, made: list[Value],
        moves: list[Definition], last: Definition,
    ) -> Iterator[Candidate]:  # fmt: skip
        """Yield the target after what brings something into the object, with the plainest values.

        What an empty object does says little of the code that handles what it holds.
        """
        bringing = [d for d in moves if d is not last and any(p.required for p in d.parameters)]
        for times in (1, 2):
            for move in sorted(bringing, key=lambda d: d.name not in _FILLING)[:_MOST_FILLS]:
                for instance in made[:2]:
                    rows = [self._row(situation, move, number) for number in range(times)]
                    steps = [*((move, row) for row in rows), (last, self._row(situation, last, 0))]
                    yield from self._written(situation, owner, instance, steps)

    def _row(self, situation: Situation, step: Definition, number: int) -> list[Value]:
        rows = [
            values_for(situation.module, step, one, literals=situation.guard_literals[:6])
            for one in step.parameters
            if one.required
        ]
        return [values[number % len(values)] for values in rows]

    def _one(
        self, situation: Situation, owner: Definition, made: list[Value],
        moves: list[Definition], last: list[Definition], length: int,
    ) -> Iterator[Candidate]:  # fmt: skip
        rng = situation.scene.rng
        instance = rng.choice(made)
        steps = [*(rng.choice(moves) for _ in range(length)), rng.choice(last)]
        rows: list[list[Value]] = []
        for step in steps:
            rows.append([])
            for parameter in step.parameters:
                if parameter.required:
                    values = values_for(situation.module, step, parameter,
                                        literals=situation.guard_literals[:6])  # fmt: skip
                    rows[-1].append(rng.choice(values[:8]))
        yield from self._written(situation, owner, instance, list(zip(steps, rows, strict=True)))

    def _written(
        self, situation: Situation, owner: Definition, instance: Value,
        steps: Sequence[tuple[Definition, Sequence[Value]]],
    ) -> Iterator[Candidate]:  # fmt: skip
        given = (instance, *(value for _, row in steps for value in row))
        name = receiver_name(owner, (one for value in given for one in value.imports))
        draft = Draft().needing(instance).then(f"{name} = {instance.expr}")
        for number, (step, row) in enumerate(steps):
            for value in row:
                draft = draft.needing(value)
            before = draft.body
            draft = on_instance(situation.module, step, [v.expr for v in row], name, draft)
            if number < len(steps) - 1:
                done = [line.removeprefix("result = ") for line in draft.body[len(before) :]]
                draft = Draft((*before, *done), draft.imports, draft.helpers, draft.fixtures)
        candidate = write(draft, self.name, f"{steps[-1][0].qualname} after {steps[0][0].name}")
        if candidate is not None:
            yield candidate
