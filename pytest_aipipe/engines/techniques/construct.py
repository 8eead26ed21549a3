"""Call the gap's definition with arguments worked out from hints, use, guards and literals."""

from __future__ import annotations

import ast
import builtins
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from pytest_aipipe.engines.analysis.failures import error_raised
from pytest_aipipe.engines.analysis.module import own_nodes
from pytest_aipipe.engines.analysis.shapes import type_names
from pytest_aipipe.engines.source.arguments import (
    resolved,
)
from pytest_aipipe.engines.source.edits import in_turns
from pytest_aipipe.engines.source.instances import instances
from pytest_aipipe.engines.source.invoke import invoke, receiver_name
from pytest_aipipe.engines.source.likes import aliases, hashes, mirrors, restored
from pytest_aipipe.engines.source.nested import nested_calls
from pytest_aipipe.engines.source.rows import argument_rows, failing_rows, row_of, together
from pytest_aipipe.engines.source.states import of_its_own
from pytest_aipipe.engines.source.usages import usages
from pytest_aipipe.engines.source.writer import Draft, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.engines.analysis.guards import Guards
    from pytest_aipipe.engines.analysis.module import Definition
    from pytest_aipipe.engines.analysis.solve import Answers
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.source.values import Value
    from pytest_aipipe.engines.techniques.base import Proposals
    from pytest_aipipe.generate.model import Arc, Candidate

_BATCH = 12
_MOST = 240
_ROWS = 120
_STATED = 4


class Construct:
    """Direct calls, and calls of what calls it; private things through their callers first."""

    name = "construct"

    def propose(self, situation: Situation) -> Proposals:
        """Yield calls with one argument varied at a time, several routes in turn."""
        solved = situation.answers()
        streams = [self._calls(situation, d, solved) for d in routes(situation)]
        candidates = islice(in_turns(streams), _MOST)
        while batch := list(islice(candidates, _BATCH)):
            yield batch

    def _calls(
        self, situation: Situation, definition: Definition, solved: Answers
    ) -> Iterator[Candidate]:
        for draft in drafts(situation, definition, solved):
            name = f"{definition.qualname}"
            found = write(draft, self.name, name)
            if found is not None:
                yield found


def routes(situation: Situation) -> list[Definition]:
    """Return what to call to get into the gap, public callers of private things first."""
    found: list[Definition] = []
    for target in situation.targets:
        callers = [c for c in situation.callers(target) if not _private(c)]
        found += [*callers, target] if _private(target) else [target, *callers[:3]]
        for caller in situation.callers(target):
            found += [c for c in situation.callers(caller) if not _private(c)][:3]
    return list(dict.fromkeys(found))


def _private(definition: Definition) -> bool:
    return definition.name.startswith("_") and not definition.name.endswith("__")


def drafts(situation: Situation, definition: Definition, solved: Answers) -> Iterator[Draft]:
    """Yield calls of ``definition``, likeliest first."""
    if definition.is_class:
        for instance in instances(situation, definition, solved):
            yield replace(Draft().needing(instance).then(f"result = {instance.expr}"))
        return
    if definition.binding == "nested":
        streams = [nested_calls(situation, definition, solved, argument_rows, failing_rows)]
        if definition.outermost is not definition and _used_inside(definition):
            streams.insert(0, drafts(situation, definition.outermost, solved))
        yield from in_turns(streams)
        return
    if definition.binding == "function":
        for usage in usages(situation, definition.name)[:10]:
            yield Draft().needing(usage).then(f"result = {usage.expr}")
    owner = definition.owner
    receivers: list[Value | None] = [None]
    if owner is not None and definition.binding in {"method", "property", "setter"}:
        receivers = list(instances(situation, owner, solved)) or [None]
    rows = argument_rows(situation, definition, solved)
    first = receivers[0]
    failing = failing_rows(situation, definition, solved)
    streams = [
        _on_each(situation, definition, rows, receivers[:3]),
        (_with_state(situation, definition, row, first) for row in failing),
        aliases(definition, receivers),
        mirrors(situation, definition, receivers),
        hashes(definition, receivers),
        restored(
            situation.module, definition, receivers, argument_rows(situation, definition, solved)
        ),
        (
            _with_state(
                situation,
                definition,
                next(iter(argument_rows(situation, definition, solved)), []),
                r,
            )
            for r in receivers[1:]
        ),
        _states(situation, definition, first, solved),
        _left_by_errors(situation, definition, receivers[:2], solved),
    ]
    yield from in_turns(streams)


def _used_inside(definition: Definition) -> bool:
    """Whether the function around an inner one does more with it than give it back."""
    nodes = list(ast.walk(definition.outermost.node))
    given = {id(n.value) for n in nodes if isinstance(n, ast.Return)}
    return any(
        isinstance(n, ast.Name) and n.id == definition.name and id(n) not in given for n in nodes
    )


def _with_state(
    situation: Situation,
    definition: Definition,
    row: Sequence[Value],
    instance: Value | None,
) -> Draft:
    draft = Draft()
    for value in row:
        draft = draft.needing(value)
    return invoke(situation.module, definition, [v.expr for v in row], instance, draft)


def _on_each(
    situation: Situation,
    definition: Definition,
    rows: Iterator[list[Value]],
    receivers: Sequence[Value | None],
) -> Iterator[Draft]:
    """Yield each row on one of the receivers in turn: the likeliest of them may not even build."""
    known = list(islice(rows, _ROWS))
    for shift in range(len(receivers)):
        for number, row in enumerate(known):
            receiver = receivers[(number + shift) % len(receivers)]
            yield _with_state(situation, definition, row, receiver)


def _states(
    situation: Situation, definition: Definition, instance: Value | None, solved: Answers
) -> Iterator[Draft]:
    """Set the attributes that the guards of one open place test, then call; the places in turn."""
    if instance is None or definition.owner is None or definition.name in {"__init__", "__new__"}:
        return
    base = next(iter(argument_rows(situation, definition, solved)), [])
    asked = dict.fromkeys(zip(situation.guards, situation.places, strict=True))
    yield from in_turns([_stated(situation, definition, instance, base, *one) for one in asked])


def _stated(
    situation: Situation,
    definition: Definition,
    instance: Value,
    base: Sequence[Value],
    guard: Guards,
    wanted: int | Arc,
) -> Iterator[Draft]:
    """Yield calls in a state that leads to ``wanted``, as long as nothing else led there."""
    owner = definition.owner
    answers = situation.answers([guard])
    states = {
        k: of_its_own(owner, k, v, guard)
        for k, v in answers.items()
        if owner is not None and k.startswith("self.") and k[5:].isidentifier()
    }
    if owner is None or not states:
        return
    rows = list(islice(together(situation, definition.parameters, [guard]), _STATED)) or [{}]
    turns = [*((row, 0) for row in rows), (rows[0], 1), (rows[0], 2)]
    for chosen, turn in turns:
        if not situation.is_open(wanted):
            return
        row = row_of(definition, {**_named_values(definition, base), **chosen})
        draft = _with_state(situation, definition, row, instance)
        name = receiver_name(owner, draft.imports)
        made = f"{name} = {instance.expr}"
        lines: list[str] = []
        for key, values in states.items():
            value = resolved(situation.module, values[min(turn, len(values) - 1)])
            if value is not None:
                lines.append(f"{name}.{key[5:]} = {value.expr}")
                draft = draft.importing(*value.imports)
        if made in draft.body:
            place = draft.body.index(made) + 1
            yield replace(draft, body=(*draft.body[:place], *lines, *draft.body[place:]))


def _left_by_errors(
    situation: Situation,
    definition: Definition,
    receivers: Sequence[Value | None],
    solved: Answers,
) -> Iterator[Draft]:
    """Yield a context manager whose block raises what it catches around its ``yield``."""
    entered = "    pass"
    for error in _caught_around_yield(definition):
        for receiver in receivers:
            for row in islice(argument_rows(situation, definition, solved), _STATED):
                draft = _with_state(situation, definition, row, receiver)
                last = draft.body[-1] if draft.body else ""
                if last.startswith("with ") and last.endswith(entered):
                    left = f"{last.removesuffix(entered)}    raise {error_raised(error)}"
                    yield replace(draft, body=(*draft.body[:-1], left), observe=())


def _caught_around_yield(definition: Definition) -> list[str]:
    """Return the errors that handlers around a ``yield`` catch; one to pass through by default."""
    if not any(d.rsplit(".", 1)[-1] == "contextmanager" for d in definition.decorators):
        return []
    blocks = [
        node
        for node in own_nodes(definition.node)
        if isinstance(node, ast.Try)
        and any(isinstance(n, ast.Yield) for one in node.body for n in ast.walk(one))
    ]
    named = [n for b in blocks for h in b.handlers if h.type for n in type_names(h.type)]
    plain = [n for n in named if n in dir(builtins) and n not in {"BaseException", "Exception"}]
    return list(dict.fromkeys([*plain, "ValueError"]))[:3] if blocks else []


def _named_values(definition: Definition, row: Sequence[Value]) -> dict[str, Value]:
    required = [p.name for p in definition.parameters if p.required]
    return dict(zip(required, row, strict=False))
