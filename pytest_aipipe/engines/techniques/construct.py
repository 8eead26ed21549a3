"""Call the gap's definition with arguments worked out from hints, use, guards and literals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from pytest_aipipe.engines.analysis.module import Definition, Parameter
from pytest_aipipe.engines.analysis.solve import Answers, solve
from pytest_aipipe.engines.situation import Situation
from pytest_aipipe.engines.source.arguments import values_for
from pytest_aipipe.engines.source.edits import in_turns
from pytest_aipipe.engines.source.instances import instances
from pytest_aipipe.engines.source.invoke import invoke, receiver_name
from pytest_aipipe.engines.source.nested import nested_calls
from pytest_aipipe.engines.source.usages import usages
from pytest_aipipe.engines.source.values import Value
from pytest_aipipe.engines.source.writer import Draft, write
from pytest_aipipe.engines.techniques.base import Proposals
from pytest_aipipe.generate.model import Candidate

_BATCH = 12
_MOST = 240


class Construct:
    """Direct calls, and calls of what calls it; private things through their callers first."""

    name = "construct"

    def propose(self, situation: Situation) -> Proposals:
        """Yield calls with one argument varied at a time, several routes in turn."""
        solved = solve(situation.guards)
        streams = [self._calls(situation, d, solved) for d in routes(situation)]
        candidates = islice(in_turns(streams), _MOST)
        while batch := list(islice(candidates, _BATCH)):
            yield batch

    def _calls(self, situation: Situation, definition: Definition, solved: Answers) -> Iterator[Candidate]:
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
    module = situation.module
    if definition.is_class:
        for instance in instances(situation, definition, solved):
            yield replace(Draft().needing(instance).then(f"result = {instance.expr}"))
        return
    if definition.binding == "nested":
        yield from nested_calls(situation, definition, solved, argument_rows)
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
    streams = [
        (_with_state(situation, definition, row, first, solved) for row in rows),
        (
            _with_state(situation, definition, next(iter(argument_rows(situation, definition, solved)), []), r, solved)
            for r in receivers[1:]
        ),
        _states(situation, definition, first, solved),
    ]
    yield from in_turns(streams)


def _with_state(
    situation: Situation, definition: Definition, row: Sequence[Value], instance: Value | None, solved: Answers
) -> Draft:
    draft = Draft()
    for value in row:
        draft = draft.needing(value)
    return invoke(situation.module, definition, [v.expr for v in row], instance, draft)


def _states(
    situation: Situation, definition: Definition, instance: Value | None, solved: Answers
) -> Iterator[Draft]:
    """Set an attribute that a guard tests, then call."""
    if instance is None or definition.owner is None or definition.name in {"__init__", "__new__"}:
        return
    row = next(iter(argument_rows(situation, definition, solved)), [])
    name = receiver_name(definition.owner)
    for key, values in solved.items():
        if not key.startswith("self.") or key.count(".") != 1 or not key[5:].isidentifier():
            continue
        for value in values[:4]:
            draft = _with_state(situation, definition, row, instance, solved)
            made = f"{name} = {instance.expr}"
            if made in draft.body:
                place = draft.body.index(made) + 1
                body = (*draft.body[:place], f"{name}.{key[5:]} = {value}", *draft.body[place:])
                yield replace(draft, body=body)


def argument_rows(situation: Situation, definition: Definition, solved: Answers) -> Iterator[list[Value]]:
    """Yield argument lists: the plain one, one varied at a time, then pairs."""
    module = situation.module
    options: dict[str, list[Value]] = {}
    for parameter in definition.parameters:
        if parameter.kind not in {"star", "stars"}:
            wanted = solved.get(parameter.name, [])
            literals = [*situation.guard_literals[:12], *situation.body_literals[:12]]
            options[parameter.name] = values_for(
                module, definition, parameter, solved=wanted, literals=literals
            )
    base = {p.name: options[p.name][0] for p in definition.parameters if p.required}
    yield _row(definition, base)
    star = next((p for p in definition.parameters if p.kind == "star"), None)
    if star is not None:
        for extra in ("1", "1, 2", "len", "'text'"):
            yield [*_row(definition, base), Value(extra)] if not _keywords(definition, base) else (
                _row(definition, base))  # fmt: skip
    yield from _keyword_rows(definition, base, solved)
    for turn in range(16):
        for parameter in definition.parameters:
            values = options.get(parameter.name, [])
            if turn < len(values):
                yield _row(definition, {**base, parameter.name: values[turn]})
    names = list(options)
    rng = situation.scene.rng
    for _ in range(80):
        chosen = dict(base)
        for name in rng.sample(names, min(len(names), 3)) if names else []:
            chosen[name] = rng.choice(options[name][:14])
        yield _row(definition, chosen)


def _keyword_rows(definition: Definition, base: dict[str, Value], solved: Answers) -> Iterator[list[Value]]:
    stars = next((p for p in definition.parameters if p.kind == "stars"), None)
    if stars is None:
        return
    yield [*_row(definition, base), Value("extra=1")]
    for key, values in solved.items():
        if key.startswith(f"{stars.name}["):
            name = key[len(stars.name) + 1 : -1].strip("'\"")
            if name.isidentifier():
                for value in values[:4]:
                    yield [*_row(definition, base), Value(f"{name}={value}")]


def _keywords(definition: Definition, chosen: dict[str, Value]) -> bool:
    return any(p.kind == "keyword" or not p.required for p in definition.parameters if p.name in chosen)


def _row(definition: Definition, chosen: dict[str, Value]) -> list[Value]:
    found: list[Value] = []
    skipped = False
    for parameter in definition.parameters:
        value = chosen.get(parameter.name)
        if value is None:
            skipped = skipped or parameter.kind in {"any", "positional"}
            continue
        found.append(_passed(parameter, value, skipped=skipped))
    return found


def _passed(parameter: Parameter, value: Value, *, skipped: bool) -> Value:
    if parameter.kind == "keyword" or skipped or (parameter.kind == "any" and not parameter.required):
        return replace(value, expr=f"{parameter.name}={value.expr}")
    return value
