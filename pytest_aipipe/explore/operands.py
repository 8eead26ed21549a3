"""Operands that a guard compared, as pairs of plain values: what was there, what would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG = 60
MAX_PAIRS = 40
MAX_MEMBERS = 12
MAX_SORTED = 2000
_PLAIN = (str, int, float, bytes)
_CONTAINERS = frozenset({dict, set, frozenset, list, tuple})
_FROZEN = "frozenset("


def pairs_of(
    left: str | None, right: str | None, operator: str, tokens: Sequence[str] = ()
) -> list[tuple[Any, Any]]:
    """Return what may be exchanged for what so that the comparison goes the other way.

    ``left`` and ``right`` are the operands' sources, None where they cannot be written. With
    ``tokens``, a text that was found in another is taken out of that one, or replaced by one of
    these.
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
    if operator in {"in", "not in"} and isinstance(one, str) and isinstance(other, str) and tokens:
        return _around_text(one, other, tokens)
    pairs: list[tuple[Any, Any]] = []
    for a in _each(one)[:MAX_PAIRS]:
        for b in _each(other)[:MAX_PAIRS]:
            pairs += _exchanges(a, b, operator)
    return pairs[:MAX_PAIRS]


def _around_text(part: str, whole: str, tokens: Sequence[str]) -> list[tuple[Any, Any]]:
    if not part or part not in whole:
        return [(part, whole), (whole, part), (whole, whole + part), (whole, part + whole)]
    others = [one for one in tokens if one != part][:MAX_MEMBERS]
    return [(part, whole), *((whole, whole.replace(part, one)) for one in ("", *others))]


def some_of(container: Any) -> str | None:
    """Return a display of a few plain members of a container, with an ellipsis for the others.

    None where it is no container, or its members are not plain. Members are taken evenly from
    the sorted ones, so that another hash seed shows the same.
    """
    if type(container) not in _CONTAINERS or not 0 < len(container) <= MAX_SORTED:
        return None
    kinds = {type(one) for one in container}
    if len(kinds) != 1 or not kinds <= set(_PLAIN):
        return None
    members = sorted(container)
    step = -(-len(members) // MAX_MEMBERS)
    return f"{{{', '.join(map(repr, members[::step]))}, ...}}"


def is_large(source: str | None) -> bool:
    """Return whether it is the source of a frozen set, or of some members of a long container."""
    return source is not None and (source.startswith(_FROZEN) or source.endswith(", ...}"))


def members_of(source: str) -> list[str]:
    """Return the sources of the plain members of a container's display; of others nothing."""
    value = _value(source)
    if type(value) not in _CONTAINERS:
        return []
    return [repr(one) for one in _ordered(value) if isinstance(one, _PLAIN)]


def _ordered(container: Any) -> list[Any]:
    """Return the members in an order that does not depend on the hash seed."""
    if isinstance(container, set | frozenset):
        return sorted(container, key=lambda one: (type(one).__name__, repr(one)))
    return list(container)


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
    if type(value) in _CONTAINERS:
        return [one for one in _ordered(value) if isinstance(one, _PLAIN)]
    return [value]


def _value(source: str | None) -> Any:
    if source is None or len(source) > 10 * LONG:
        return None
    if source.startswith(_FROZEN) and source.endswith(")"):
        source = source[len(_FROZEN) : -1] or "()"
    try:
        value = syntax.literal(source)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if isinstance(value, str | bytes) and len(value) > LONG:
        return None
    return value
