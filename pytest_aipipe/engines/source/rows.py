"""Rows of arguments for a call: one for each parameter, worked out from hints, use and guards."""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_aipipe.engines.analysis.failures import error_raised, errors_caught, failing_classes
from pytest_aipipe.engines.source.arguments import (
    fitting,
    resolved,
    values_for,
    with_named_results,
    with_one_condition,
)
from pytest_aipipe.engines.source.elsewhere import held, hinted
from pytest_aipipe.engines.source.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_aipipe.engines.analysis.guards import Guards
    from pytest_aipipe.engines.analysis.module import Definition, Parameter
    from pytest_aipipe.engines.analysis.solve import Answers
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.generate.model import Arc

_ANSWERS = 8


def argument_rows(
    situation: Situation, definition: Definition, solved: Answers
) -> Iterator[list[Value]]:
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
    options = with_named_results(with_one_condition(options))
    base = {p.name: options[p.name][0] for p in definition.parameters if p.required}
    yield row_of(definition, base)
    yield from _heedless(situation, definition, base)
    for chosen in together(situation, definition.parameters):
        yield row_of(definition, {**base, **chosen})
    star = next((p for p in definition.parameters if p.kind == "star"), None)
    if star is not None:
        for extra in ("1", "1, 2", "len", "'text'"):
            row = row_of(definition, base)
            yield row if _keywords(definition, base) else [*row, Value(extra)]
    yield from _keyword_rows(definition, base, solved)
    for turn in range(16):
        for parameter in definition.parameters:
            values = options.get(parameter.name, [])
            if turn < len(values):
                yield row_of(definition, {**base, parameter.name: values[turn]})
    names = list(options)
    rng = situation.scene.rng
    for _ in range(80):
        chosen = dict(base)
        for name in rng.sample(names, min(len(names), 3)) if names else []:
            chosen[name] = rng.choice(options[name][:14])
        yield row_of(definition, chosen)


def _heedless(
    situation: Situation, definition: Definition, base: Mapping[str, Value]
) -> Iterator[list[Value]]:
    """Yield rows that heed no guard: what hints name and what the parameters are used like.

    A guard's answer for one parameter may spoil what the way to the guard needs of it, so each
    of ``base`` is tried alone as well.
    """
    module = situation.module
    required = [p for p in definition.parameters if p.name in base]
    plain = {p.name: values_for(module, definition, p)[0] for p in required}
    made = {p.name: hinted(module, p.annotation, situation.scene.root) for p in required}
    real = {**plain, **{name: held(value, name) for name, value in made.items() if value}}
    rows = [real, plain]
    if real != base:
        rows += [
            {**real, name: v} for name, v in base.items() if v not in (plain[name], real[name])
        ]
    for row in rows:
        if row != base:
            yield row_of(definition, row)


def together(
    situation: Situation, parameters: Sequence[Parameter], guards: Sequence[Guards] | None = None
) -> Iterator[dict[str, Value]]:
    """Yield values that answer all the guards of one open place at once.

    The likeliest for each place come first, then the next of all, and of one at a time; a place
    that was reached meanwhile is left out.
    """
    seen: set[str] = set()
    places = situation.places if guards is None else (None,) * len(guards)
    known: list[tuple[int | Arc | None, dict[str, list[str]]]] = []
    for place, guard in zip(places, situation.guards if guards is None else guards, strict=True):
        asked = situation.answers([guard])
        named = {p.name: asked[p.name] for p in parameters if asked.get(p.name)}
        known.append((place, {p.name: fitting(p.annotation, named[p.name])
                              for p in parameters if p.name in named}))  # fmt: skip
    for turn in range(_ANSWERS):
        for place, answers in known:
            if not situation.is_open(place) or turn >= max(map(len, answers.values()), default=0):
                continue
            for one in (None, *answers) if turn and len(answers) > 1 else (None,):
                pairs = (
                    (
                        k,
                        resolved(
                            situation.module, v[min(turn, len(v) - 1) if one in (None, k) else 0]
                        ),
                    )
                    for k, v in answers.items()
                )
                chosen = {k: value for k, value in pairs if value is not None}
                mark = repr(chosen)
                if chosen and mark not in seen:
                    seen.add(mark)
                    yield chosen


def failing_rows(
    situation: Situation, definition: Definition, solved: Answers
) -> Iterator[list[Value]]:
    """Yield argument lists in which one argument is a stand-in that fails when it is used."""
    base = next(iter(argument_rows(situation, definition, solved)), [])
    for error in errors_caught(situation.guards)[:3]:
        if error.split(".")[0] not in dir(builtins):
            continue
        for statement, expr in failing_classes(error_raised(error)):
            for place, value in enumerate(base):
                for made in (expr, f"lambda *args, **kwargs: {expr}"):
                    prefix = f"{value.expr.split('=')[0]}=" if _named(value) else ""
                    yield [*base[:place], Value(prefix + made, (statement,)), *base[place + 1 :]]


def _named(value: Value) -> bool:
    return value.expr.partition("=")[0].isidentifier()


def _keyword_rows(
    definition: Definition, base: dict[str, Value], solved: Answers
) -> Iterator[list[Value]]:
    stars = next((p for p in definition.parameters if p.kind == "stars"), None)
    if stars is None:
        return
    yield [*row_of(definition, base), Value("extra=1")]
    for key, values in solved.items():
        if key.startswith(f"{stars.name}["):
            name = key[len(stars.name) + 1 : -1].strip("'\"")
            if name.isidentifier():
                for value in values[:4]:
                    yield [*row_of(definition, base), Value(f"{name}={value}")]


def _keywords(definition: Definition, chosen: dict[str, Value]) -> bool:
    return any(
        p.kind == "keyword" or not p.required for p in definition.parameters if p.name in chosen
    )


def row_of(definition: Definition, chosen: dict[str, Value]) -> list[Value]:
    """Return what a call passes for ``chosen`` parameters, by position where it can."""
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
    if (
        parameter.kind == "keyword"
        or skipped
        or (parameter.kind == "any" and not parameter.required)
    ):
        return replace(value, expr=f"{parameter.name}={value.expr}")
    return value
