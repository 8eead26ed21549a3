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
    from collections.abc import Iterator

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
            for length in (1, 2, 3):
                for _ in range(24):
                    if not made or not moves:
                        return
                    yield from self._one(situation, target.owner, made, moves, last, length)

    def _moves(self, situation: Situation, owner: Definition) -> list[Definition]:
        found = [d for d in situation.module.members(owner) if d.binding == "method"]
        public = [d for d in found if not d.name.startswith("_") or d.name in _DUNDERS]
        public += [d for base in getattr(owner.node, "bases", []) if (
            parent := situation.module.definitions.get(ast.unparse(base))) is not None
            for d in situation.module.members(parent) if not d.name.startswith("_")]  # fmt: skip
        return public

    def _one(
        self, situation: Situation, owner: Definition, made: list[Value],
        moves: list[Definition], last: list[Definition], length: int,
    ) -> Iterator[Candidate]:  # fmt: skip
        rng = situation.scene.rng
        instance = rng.choice(made)
        name = receiver_name(owner)
        draft = Draft().needing(instance).then(f"{name} = {instance.expr}")
        steps = [*(rng.choice(moves) for _ in range(length)), rng.choice(last)]
        for number, step in enumerate(steps):
            row: list[Value] = []
            for parameter in step.parameters:
                if parameter.required:
                    values = values_for(situation.module, step, parameter,
                                        literals=situation.guard_literals[:6])  # fmt: skip
                    row.append(rng.choice(values[:8]))
            for value in row:
                draft = draft.needing(value)
            before = draft.body
            draft = on_instance(situation.module, step, [v.expr for v in row], name, draft)
            if number < len(steps) - 1:
                done = [line.removeprefix("result = ") for line in draft.body[len(before) :]]
                draft = Draft((*before, *done), draft.imports, draft.helpers, draft.fixtures)
        candidate = write(draft, self.name, f"{steps[-1].qualname} after {steps[0].name}")
        if candidate is not None:
            yield candidate
