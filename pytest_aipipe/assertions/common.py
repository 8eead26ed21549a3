"""What two values have in common, as assertions: the same call gave one here and one there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.explore.fact import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 4
_LEAST_TEXT = 4
_DEEP = 2


def in_both(here: Mapping[str, tuple[Fact, ...]], there: Mapping[str, tuple[Fact, ...]]) -> dict[
    str, tuple[Fact, ...]
]:  # fmt: skip
    """Return the facts, by name, that hold in both runs; of a value that differs its parts."""
    found: dict[str, tuple[Fact, ...]] = {}
    for name, facts in here.items():
        others = there.get(name, ())
        kept = [one for one in facts if one in others]
        for one in facts if not kept else ():
            kept += [part for other in others for part in common(one, other)]
        found[name] = tuple(dict.fromkeys(kept))
    return found


def common(one: Fact, other: Fact) -> list[Fact]:
    """Return what holds of both values, where each fact says ``x == value`` of the same ``x``."""
    mine, theirs = _compared(one.code), _compared(other.code)
    if mine is None or theirs is None or ast.dump(mine[0]) != ast.dump(theirs[0]):
        return []
    expression = ast.get_source_segment(one.code, mine[0]) or ""
    made = _parts(one.code, expression, mine[1], theirs[1], _DEEP)
    return [Fact(code, one.imports, 2) for code in made]


def _compared(code: str) -> tuple[ast.expr, ast.expr] | None:
    match syntax.parse(code).body:
        case [ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]))]:
            return left, right
        case _:
            return None


def _parts(source: str, x: str, one: ast.expr, other: ast.expr, deep: int) -> Iterator[str]:
    if ast.dump(one) == ast.dump(other):
        yield f"assert {x} == {ast.get_source_segment(source, one)}"
        return
    match one, other:
        case ast.Constant(value=str(text)), ast.Constant(value=str(another)):
            yield from _of_texts(x, text, another)
        case ast.Dict(), ast.Dict():
            yield from _of_size(x, len(one.keys), len(other.keys))
            values = {ast.dump(k): v for k, v in zip(other.keys, other.values, strict=True) if k}
            pairs = zip(one.keys, one.values, strict=True)
            shared = [(k, v, values[ast.dump(k)]) for k, v in pairs if k and ast.dump(k) in values]
            for key, mine, theirs in shared[:_MOST] if deep else ():
                place = f"{x}[{ast.get_source_segment(source, key)}]"
                yield from _parts(source, place, mine, theirs, deep - 1)
        case (ast.List(elts=some), ast.List(elts=others)) | (
            ast.Tuple(elts=some),
            ast.Tuple(elts=others),
        ):
            yield from _of_size(x, len(some), len(others))
            both = list(zip(some, others, strict=False))[:_MOST]
            for index, (mine, theirs) in enumerate(both) if deep else ():
                yield from _parts(source, f"{x}[{index}]", mine, theirs, deep - 1)
        case ast.Set(), ast.Set():
            yield from _of_size(x, len(one.elts), len(other.elts))
        case _:
            return


def _of_size(x: str, mine: int, theirs: int) -> Iterator[str]:
    if mine == theirs:
        yield f"assert len({x}) == {mine}"


def _of_texts(x: str, mine: str, theirs: str) -> Iterator[str]:
    yield from _of_size(x, len(mine), len(theirs))
    head = _beginning(mine, theirs)
    tail = _beginning(mine[::-1], theirs[::-1])[::-1]
    for how, text in (("startswith", head), ("endswith", tail)):
        if len(text.strip()) >= _LEAST_TEXT and text.isprintable():
            yield f"assert {x}.{how}({text!r})"


def _beginning(mine: str, theirs: str) -> str:
    size = next((n for n, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), None)
    return mine[:size] if size is not None else min(mine, theirs, key=len)
