"""Inputs varied at random: other texts and numbers of the same kind may tell faults apart.

What is on the way to a line is often one input of many that get there; where a fault changes
what comes of some of them only, others have to be tried. Which of them showed something that no
other did is seen when they run.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax
from pytest_aipipe.assertions.text import test_function
from pytest_aipipe.explore.splicing import edited_text
from pytest_aipipe.generate.edges import LONGEST, literals_of, swapped
from pytest_aipipe.generate.richer import called_name, waits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from random import Random

    from pytest_aipipe.generate.model import Candidate

TECHNIQUE = "varied"
MOST = 8  # variants of one test
_TRIES = 3 * MOST
_KINDS = (str, int, float, bool)
_FACTORS = (10, -1, 0)
_TOKEN = 12  # characters


def varied(
    candidate: Candidate, rng: Random, *, texts: Sequence[str] = (), tokens: Sequence[str] = ()
) -> list[Candidate]:
    """Return variants of ``candidate`` with one text, number or flag changed, its places in turn.

    ``texts`` are others to take from, ``tokens`` what the code itself looks for.
    """
    function = test_function(candidate.function)
    waiting = _waiting(function) if function is not None else set()
    places = [
        (node, value)
        for statement in (function.body if function is not None else ())
        if not isinstance(statement, ast.Assert)
        for node, value in literals_of(statement, _KINDS)
        if id(node) not in waiting
    ]
    found: dict[str, Candidate] = {}
    for turn in range(_TRIES if places else 0):
        node, value = places[turn % len(places)]
        new = _other(value, rng, texts, tokens)
        source = swapped(candidate.function, node, repr(new))
        if source is None or new == value or len(repr(new)) > LONGEST:
            continue
        made = replace(candidate, technique=TECHNIQUE, function=source, note="a varied input")
        found.setdefault(source, made)
        if len(found) == MOST:
            break
    return list(found.values())


def _waiting(function: ast.AST) -> set[int]:
    """Return the ids of the nodes that say how long to wait."""
    return {
        id(value)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        for place, value in (*enumerate(call.args), *((k.arg, k.value) for k in call.keywords))
        if waits(called_name(call), place)
    }


def _other(value: Any, rng: Random, texts: Sequence[str], tokens: Sequence[str]) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return rng.choice([value + 1, value - 1, *(value * factor for factor in _FACTORS)])
    return edited_text(value, rng, texts=texts, tokens=tokens)


def texts_in(sources: Iterable[str]) -> list[str]:
    """Return the texts that tests pass to what they call, each once, in their order."""
    found: dict[str, None] = {}
    for source in sources:
        try:
            tree = syntax.parse(source)
        except (SyntaxError, ValueError):
            continue
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            for one in (*call.args, *(keyword.value for keyword in call.keywords)):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    found[one.value] = None
    return [text for text in found if 0 < len(text) <= LONGEST]


def tokens_in(sources: Mapping[str, str], lines: Mapping[str, frozenset[int]]) -> list[str]:
    """Return the short texts that stand on these lines of the code."""
    found: dict[str, None] = {}
    for path, wanted in lines.items():
        try:
            tree = syntax.parse(sources.get(path, ""))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)) if node.lineno in wanted and text:
                    found[text] = None
                case _:
                    continue
    return [text for text in found if len(text) <= _TOKEN]
