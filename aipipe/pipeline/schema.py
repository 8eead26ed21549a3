"""Checks a YAML file against its published schema, in words with the line."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from aipipe_core.documents import load_schema
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsonschema.exceptions import ValidationError

    from aipipe.pipeline.lines import Lines

_SHOWN = 120


def check(lines: Lines, name: str, *, what: str) -> None:
    """Check ``lines`` against the schema ``name``.

    Raises ``RequestError`` for what stands first in the file: ``<what>-unknown-key`` with
    the nearest known one, or ``<what>-invalid``.
    """
    from jsonschema import Draft202012Validator

    errors = list(Draft202012Validator(load_schema(name)).iter_errors(lines.content))
    if not errors:
        return
    told = [_told(lines, error) for error in errors]
    line, slug, said, hint = min(told)
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    raise RequestError(f"{what}-{slug}", said + more, where=f"{lines.path}, line {line}", hint=hint)


def _told(lines: Lines, error: ValidationError) -> tuple[int, str, str, str]:
    from jsonschema.exceptions import best_match

    found = best_match([error]) or error
    place = list(found.absolute_path)
    if found.validator == "additionalProperties" and isinstance(found.schema, dict):
        known = list(found.schema.get("properties", ()))
        instance: dict[str, Any] = found.instance if isinstance(found.instance, dict) else {}
        unknown = [key for key in instance if key not in known]
        if unknown:
            return _unknown(lines, place, unknown[0], known)
    if found.validator == "pattern" and isinstance(found.instance, str):
        inside = (*place, found.instance)
        if inside in lines.keys:  # the name of a key, not a value
            said = f"{found.instance!r} cannot be a name here"
            return lines.of(inside), "invalid", said, "Use letters, digits, '_', '-' and '.'."
    said = f"{_spelled(place)}: {_shortened(found.message)}"
    return lines.of(place), "invalid", said, _meaning(found.schema)


def _unknown(
    lines: Lines, place: list[str | int], key: str, known: Iterable[str]
) -> tuple[int, str, str, str]:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
    inside = f" in {_spelled(place)}" if place else ""
    return lines.of([*place, key]), "unknown-key", f"Nobody knows the key {key!r}{inside}", hint


def _spelled(place: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in place) or "the file"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _meaning(schema: Any) -> str:
    return str(schema.get("description", "")) if isinstance(schema, dict) else ""
