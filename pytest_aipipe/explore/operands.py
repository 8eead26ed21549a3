"""Operands that a guard compared, as pairs of plain values: what was there, what would do."""

from __future__ import annotations

import ast
from typing import Any

LONG = 60
MAX_PAIRS = 40
_PLAIN = (str, int, float, bytes)


def pairs_of(left: str | None, right: str | None, operator: str) -> list[tuple[Any, Any]]:
    """Return what may be exchanged for what so that the comparison goes the other way.

    ``left`` and ``right`` are the operands' sources, None where they cannot be written.
    """
    one, other = _value(left), _value(right)
    if one is None or other is None:
        return []
    if operator == "startswith":
        return [
            (one, new) for new in _each(other) if type(new) is type(one) for new in (new + one,)
        ]
    if operator == "endswith":
        return [
            (one, new) for new in _each(other) if type(new) is type(one) for new in (one + new,)
        ]
    pairs: list[tuple[Any, Any]] = []
    for a in _each(one)[:MAX_PAIRS]:
        for b in _each(other)[:MAX_PAIRS]:
            pairs += _exchanges(a, b, operator)
    return pairs[:MAX_PAIRS]


def _exchanges(a: Any, b: Any, operator: str) -> list[tuple[Any, Any]]:
    both_numbers = _is_number(a) and _is_number(b)
    if not both_numbers and type(a) is not type(b):
        return []
    if both_numbers and operator not in {"==", "!=", "in", "not in", "is", "is not"}:
        return [(a, b), (a, b + 1), (a, b - 1), (b, a), (b, a + 1), (b, a - 1)]
    if a == b:
        return [(a, a + 1), (a, a - 1)] if both_numbers else []
    return [(a, b), (b, a)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _each(value: Any) -> list[Any]:
    if isinstance(value, dict | set | frozenset | list | tuple):
        return [one for one in value if isinstance(one, _PLAIN)]
    return [value]


def _value(source: str | None) -> Any:
    if source is None or len(source) > 10 * LONG:
        return None
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if isinstance(value, str | bytes) and len(value) > LONG:
        return None
    return value
