"""Replay calls that were recorded while the tests ran, then with one argument varied."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pytest_aipipe.engines.analysis.mined import around, unique
from pytest_aipipe.engines.source.invoke import invoke
from pytest_aipipe.engines.source.values import Value
from pytest_aipipe.engines.source.writer import Draft, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.analysis.module import Definition
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.techniques.base import Proposals
    from pytest_aipipe.generate.model import Candidate, RecordedCall

_BATCH = 12
_CALLS = 12


class Carve:
    """Receivers and arguments as the project's own tests make them."""

    name = "carve"

    def propose(self, situation: Situation) -> Proposals:
        """Yield replays of the calls that came nearest, then variations."""
        known = [c for c in situation.scene.calls if c.module == situation.module.name]
        ranked = sorted(known, key=lambda c: -self._nearness(situation, c))
        chosen = [c for c in ranked if self._nearness(situation, c) > 0][:_CALLS]
        streams: list[Candidate] = []
        for call in chosen:
            streams += islice(self._variations(situation, call), 16)
        for start in range(0, len(streams), _BATCH):
            yield streams[start : start + _BATCH]

    def _nearness(self, situation: Situation, call: RecordedCall) -> float:
        names = {d.qualname for d in situation.targets}
        callers = {c.qualname for d in situation.targets for c in situation.callers(d)}
        wanted = 1.0 if call.qualname in names else 0.5 if call.qualname in callers else 0.0
        siblings = {q.rpartition(".")[0] for q in names if "." in q}
        if call.qualname.rpartition(".")[0] in siblings:
            wanted = max(wanted, 0.2)
        return wanted + (situation.nearness(call.lines) if wanted else 0.0)

    def _variations(self, situation: Situation, call: RecordedCall) -> Iterator[Candidate]:
        definition = situation.module.definitions.get(call.qualname)
        if definition is None or any(a is None for a in call.args):
            return
        args = [a for a in call.args if a is not None]
        kwargs = {k: v for k, v in call.kwargs.items() if v is not None}
        targets = [definition]
        if call.receiver is not None:
            same = [
                d for d in situation.targets if d.owner is definition.owner and d is not definition
            ]
            targets += [
                d for d in same if len([p for p in d.parameters if p.required]) <= len(args)
            ]
        for target in targets:
            yield from self._written(situation, target, call, args, kwargs)
        for place, arg in enumerate(args):
            for new in unique([*situation.guard_literals[:8], *around(arg)[:4]]):
                changed = [*args[:place], new, *args[place + 1 :]]
                yield from self._written(situation, definition, call, changed, kwargs)
        for name, arg in kwargs.items():
            for new in unique([*situation.guard_literals[:8], *around(arg)[:4]]):
                yield from self._written(situation, definition, call, args, {**kwargs, name: new})

    def _written(
        self, situation: Situation, definition: Definition, call: RecordedCall,
        args: list[str], kwargs: dict[str, str],
    ) -> Iterator[Candidate]:  # fmt: skip
        receiver = Value(call.receiver, imports=call.imports) if call.receiver is not None else None
        draft = Draft(imports=call.imports)
        passed = [*args, *(f"{k}={v}" for k, v in kwargs.items())]
        draft = invoke(situation.module, definition, passed, receiver, draft)
        made = write(draft, self.name, definition.qualname, origin=call.nodeid)
        if made is not None:
            yield made
