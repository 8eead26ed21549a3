"""Structured answers: found in what a model wrote, and checked against their schema."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FENCE = re.compile(r"```(?:json|JSON)?[ \t]*\n(.*?)```", re.DOTALL)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


class NotThere(ValueError):  # noqa: N818 - reads as the sentence "raise NotThere('...')"
    """The text holds no value that meets the schema; the message says why."""


def value_in(text: str, schema: Mapping[str, Any]) -> Any:
    """Return the value that ``text`` holds; raise :class:`NotThere` with the reason.

    A fence, a sentence before it and a model's thinking aloud are looked past; what the value
    holds is not mended.
    """
    from jsonschema import Draft202012Validator

    check = Draft202012Validator(dict(schema))
    why = "there is no JSON in it"
    for piece in _pieces(_THOUGHT.sub("", text)):
        try:
            value = json.loads(piece, strict=False)
        except (ValueError, RecursionError) as error:
            why = f"it does not parse: {error}"
            continue
        problem = next(iter(check.iter_errors(value)), None)
        if problem is None:
            return value
        place = "/".join(str(part) for part in problem.absolute_path) or "the top"
        why = f"at {place}: {problem.message[:200]}"
    raise NotThere(why)


def _pieces(text: str) -> Iterator[str]:
    """Yield the texts that may be the value, the likeliest first."""
    yield text.strip()
    yield from (found.strip() for found in _FENCE.findall(text))
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        yield text[start : end + 1]


def in_words(schema: Mapping[str, Any]) -> str:
    """Return the sentence that asks for ``schema`` where the server cannot hold a model to it."""
    return (
        "Answer with one JSON object and nothing else. It must meet this JSON Schema:\n"
        + json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
    )
