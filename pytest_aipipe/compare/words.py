"""Edits of a test's texts in the words of the code: what it asks for, taken out, put in, moved.

Code that reads texts (a parser, a splitter, a formatter) names what it looks for. A text that
holds one of these words is a sentence of its language, and one word more or less makes
another: far likelier to take another path than a change at any other place.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.source.edits import Edit, Pool, in_turns, replaced, sites

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_aipipe.engines.analysis.module import FunctionNode
    from pytest_aipipe.engines.situation import Situation

_MOST_WORDS = 40
_LONGEST_WORD = 30
_LONGEST_TEXT = 3000
_MOST_PLACES = 4


def vocabulary(situations: Sequence[Situation]) -> list[str]:
    """Return the words that the code names as literals, those of the changed lines first."""
    literals: list[str] = []
    for situation in situations:
        literals += [
            repr(node.value)
            for node in ast.walk(situation.module.tree)
            if isinstance(node, ast.Constant) and node.lineno in situation.gap.lines
        ]
    for situation in situations:
        literals += situation.body_literals
    return words_of(literals)


def words_of(literals: Iterable[str]) -> list[str]:
    """Return the short texts among ``literals``, and among the members of displays."""
    found: dict[str, None] = {}
    for literal in literals:
        try:
            value = syntax.literal(literal)
        except (ValueError, SyntaxError):
            continue
        for word in value if isinstance(value, tuple | list | set) else [value]:
            if isinstance(word, str) and 0 < len(word) <= _LONGEST_WORD and word.strip(" "):
                found[word] = None
    return list(found)[:_MOST_WORDS]


def speaks(function: FunctionNode, words: Sequence[str]) -> bool:
    """Return whether a text of the test holds one of ``words``."""
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and any(word.lower() in node.value.lower() for word in words)
        for node in ast.walk(function)
    )


def word_edits(function: FunctionNode, pool: Pool, words: Sequence[str]) -> Iterator[Edit]:
    """Yield the function with one of its texts edited by one word of the code's own."""
    if not words:
        return
    nodes = list(ast.walk(function))
    streams = []
    for index in sites(function, pool):
        node = nodes[index]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            streams.append(_edited(function, index, node.value, words))
    yield from in_turns(streams)


def _edited(function: FunctionNode, index: int, text: str, words: Sequence[str]) -> Iterator[Edit]:
    if len(text) > _LONGEST_TEXT:
        return
    seen = {text}
    for new in in_turns([_without(text, words), _beside(text, words), _exchanged(text, words)]):
        if new not in seen:
            seen.add(new)
            yield Edit(replaced(function, index, ast.Constant(new)), f"{new[:50]!r}")


def _places(text: str, word: str) -> list[re.Match[str]]:
    bounded = rf"\b{re.escape(word)}\b" if word.isalnum() else re.escape(word)
    return list(re.finditer(bounded, text, re.IGNORECASE))[:_MOST_PLACES]


def _without(text: str, words: Sequence[str]) -> Iterator[str]:
    for word in words:
        places = _places(text, word)
        for place in places:
            yield text[: place.start()] + text[place.end() :].removeprefix(" ")
        if len(places) > 1:
            yield re.sub(re.escape(word), "", text, flags=re.IGNORECASE)


def _beside(text: str, words: Sequence[str]) -> Iterator[str]:
    """Put another word next to one that is there, or twice the same with what stands between."""
    for anchor in words:
        for place in _places(text, anchor):
            for word in words:
                gap = " " if word[:1].isalnum() and anchor[-1:].isalnum() else ""
                yield f"{text[: place.end()]}{gap}{word}{text[place.end() :]}"
            for word in words[:6]:
                gap = " " if word[-1:].isalnum() and anchor[:1].isalnum() else ""
                yield f"{text[: place.start()]}{word}{gap}{text[place.start() :]}"
        for first, second in zip(_places(text, anchor), _places(text, anchor)[1:], strict=False):
            between = text[first.start() : second.start()]
            yield text[: second.start()] + between + text[second.start() :]
        for place in _places(text, anchor):
            before = re.search(r"\w+$", text[: place.start()])
            if before:  # `a.b` becomes `a.a.b`
                piece = before[0] + place[0]
                yield text[: before.start()] + piece + text[before.start() :]
    for word in words:
        yield text + word
        yield word + text
        middle = len(text) // 2
        yield text[:middle] + word + text[middle:]


def _exchanged(text: str, words: Sequence[str]) -> Iterator[str]:
    for old in words:
        places = _places(text, old)
        for new in words if places else ():
            if new != old and new.isalnum() == old.isalnum():
                place = places[0]
                yield text[: place.start()] + new + text[place.end() :]
