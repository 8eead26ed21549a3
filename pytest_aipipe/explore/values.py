"""What can be asserted of a value: facts, strongest first."""

from __future__ import annotations

import collections.abc
import datetime as dt
import inspect
import io
import itertools
import math
import pathlib
import re
import types
from typing import TYPE_CHECKING, Any

from pytest_aipipe.explore.fact import Fact, is_stable_text, stable_ends
from pytest_aipipe.explore.held import (
    NOTHING,
    Known,
    answer_facts,
    attribute_facts,
    path_facts,
    property_facts,
)
from pytest_aipipe.explore.rebuild import import_of, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ITEMS = 30
MAX_LITERAL = 600
EXACT_BELOW = 1e15
MAX_SHOWN = 120
MAX_END, LEAST_END = 100, 4
MAX_PARTS = 14
MAX_PLACES = 5
MAX_INSIDE = 2
MAX_PLAIN = 100
_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes})
_PLAIN: tuple[Any, ...] = (str, bytes, int, float, dict, list, tuple, set, frozenset)
_OBJECT_EQ: Any = object.__eq__
_OBJECT_STR: Any = object.__str__


def facts_of(expression: str, value: Any, known: Known = NOTHING) -> list[Fact]:
    """Return what can be asserted of ``value``, which ``expression`` evaluates to.

    What ``value`` holds of the test's own objects (``known``) is compared with these.
    Iterators are consumed, at most :data:`MAX_ITEMS` elements of them.
    """
    try:
        return _facts(expression, value, known)
    except Exception:  # a stranger's attribute or __str__ may raise anything
        return []


def _facts(expression: str, value: Any, known: Known = NOTHING) -> list[Fact]:
    if value is None or isinstance(value, bool):
        return [Fact(f"assert {expression} is {value!r}")]
    if type(value) is float:
        return [_float_fact(expression, value)]
    if type(value).__module__ == "unittest.mock":
        return _mock_facts(expression, value)
    if isinstance(value, pathlib.Path) and value.is_absolute():
        return path_facts(expression, value)
    if type(value).__name__ == "CaptureResult":
        return _printed_facts(expression, value)
    written = source_of(value, names=known.names)
    if written is not None:
        return _literal_facts(expression, value, written.code, written.imports)
    plain = _plain_base_facts(expression, value)
    if plain:
        return plain
    if isinstance(value, io.StringIO | io.BytesIO):  # not read: that would move it
        return _kind_facts(expression, value) + _stream_facts(expression, value)
    if isinstance(value, collections.abc.Iterator):
        return _iterator_facts(expression, value, known)
    if isinstance(value, BaseException):
        told = _kind_facts(expression, value) + _text_facts(expression, value)
        return told + attribute_facts(expression, value, known, _facts)
    if isinstance(value, types.ModuleType):
        return [Fact(f'assert {expression}.__name__ == "{value.__name__}"', (), 2)]
    if inspect.isroutine(value) or isinstance(value, type):
        return _routine_facts(expression, value)
    return _object_facts(expression, value, known)


def _printed_facts(expression: str, printed: Any) -> list[Fact]:
    """Facts of what ``capsys`` read: to ask again would find nothing, so both in one."""
    if not printed.out and not printed.err:
        return [Fact(f'assert {expression} == ("", "")', (), 0)]
    if not printed.out or not printed.err:
        name = "out" if printed.out else "err"
        return _facts(f"{expression}.{name}", getattr(printed, name))[:1]
    return _facts(expression, tuple(printed))


def _float_fact(expression: str, value: float) -> Fact:
    if math.isnan(value):
        return Fact(f"assert math.isnan({expression})", ("import math",))
    if math.isinf(value):
        return Fact(f'assert {expression} == float("{value!r}")')
    if (value * 1024).is_integer() and abs(value) < EXACT_BELOW:
        return Fact(f"assert {expression} == {value!r}")
    return Fact(f"assert {expression} == pytest.approx({value!r})", ("import pytest",))


def _holds_inexact(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value) or not (value * 1024).is_integer()
    if isinstance(value, list | tuple):
        return any(_holds_inexact(one) for one in value)
    if isinstance(value, dict):
        return any(_holds_inexact(one) for one in value.values())
    return False


def _literal_facts(expression: str, value: Any, code: str, imports: tuple[str, ...]) -> list[Fact]:
    if len(code) > MAX_LITERAL or not is_stable_text(code):
        told = _size_facts(expression, value)
        return told if told or isinstance(value, str | bytes) else _moment_facts(expression, value)
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return [Fact(f"assert {expression} is {code}", imports)]
    if getattr(type(value), "__eq__", None) is _OBJECT_EQ:  # an enum member, most often
        return [Fact(f"assert {expression} is {code}", imports)] if _is_enum(value) else []
    if _holds_inexact(value):
        flat = isinstance(value, list | tuple) and all(
            isinstance(one, int | float) for one in value
        )
        if flat:
            return [
                Fact(f"assert {expression} == pytest.approx({code})", (*imports, "import pytest"))
            ]
        return _size_facts(expression, value)
    if value != value:  # noqa: PLR0124 - a value that is not equal to itself
        return []
    return [Fact(f"assert {expression} == {code}", imports)]


def _moment_facts(expression: str, value: Any) -> list[Fact]:
    """Facts of a value that is another one tomorrow: its kind, and whether it has a zone."""
    facts = _kind_facts(expression, value)
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        facts.append(Fact(f"assert {expression}.tzinfo is None", (), 2))
    return facts


def _is_enum(value: Any) -> bool:
    import enum

    return isinstance(value, enum.Enum)


def _size_facts(expression: str, value: Any) -> list[Fact]:
    facts = []
    if isinstance(value, str) and not is_stable_text(value):
        return _end_facts(expression, value)
    if isinstance(value, collections.abc.Sized):
        facts.append(Fact(f"assert len({expression}) == {len(value)}", (), 2))
    if isinstance(value, str):
        head = source_of(value[:60])
        if head is not None:
            facts.append(Fact(f"assert {expression}.startswith({head.code})", (), 2))
    if isinstance(value, list | tuple | dict):
        facts += _item_facts(expression, value)
    return facts


def _end_facts(expression: str, value: str) -> list[Fact]:
    """Facts of a text that names an address or its like: of what stands around that."""
    head, tail = stable_ends(value)
    ends = (("startswith", head[:MAX_END]), ("endswith", tail[-MAX_END:]))
    return [
        Fact(f"assert {expression}.{how}({written.code})", (), 2)
        for how, text in ends
        if len(text.strip()) >= LEAST_END and (written := source_of(text)) is not None
    ]


def _item_facts(expression: str, value: Any) -> list[Fact]:
    """Facts of what a few places hold, where the whole cannot be written."""
    places: list[tuple[str, Any]] = []
    if expression.count("[") >= MAX_INSIDE:
        return []
    if isinstance(value, dict):
        for key, held in itertools.islice(value.items(), MAX_PLACES):
            written = source_of(key) if type(key) in _ATOMS else None
            places += [(written.code, held)] if written is not None else []
    elif isinstance(value, list | tuple):
        places = [(str(n), held) for n, held in enumerate(value[:MAX_PLACES])]
    found = []
    for place, held in places:
        told = [one for one in _facts(f"{expression}[{place}]", held) if one.strength > 1]
        found += [Fact(one.code, one.imports, 2) for one in told[:1]]
    return found


def _plain_base_facts(expression: str, value: Any) -> list[Fact]:
    """Facts of what is equal to a plain value though it, or what it holds, is of a subclass."""
    if not isinstance(value, (*_PLAIN, collections.abc.Mapping)):
        return []
    try:
        plain = _plain(value, iter(range(MAX_PLAIN)))
        written = source_of(plain)
        if written is None or len(written.code) > MAX_LITERAL or not is_stable_text(written.code):
            return []
        if value != plain or _holds_inexact(plain):
            return []
    except Exception:  # a stranger's iterator or __eq__ may raise anything
        return []
    fact = Fact(f"assert {expression} == {written.code}", written.imports)
    parts = property_facts(expression, value, _facts)[:MAX_PARTS]
    answers = answer_facts(expression, value, _facts)
    return [fact, *_kind_facts(expression, value), *parts, *answers]


def _plain(value: Any, left: Iterator[int]) -> Any:
    """Return ``value`` as plain values all the way down; what is of no plain type as it is.

    Raises ``OverflowError`` where it holds more than is ``left``, or itself.
    """
    if type(value) in _ATOMS:
        return value
    if next(left, None) is None:
        raise OverflowError
    if isinstance(value, collections.abc.Mapping):
        return {_plain(k, left): _plain(v, left) for k, v in value.items()}
    for base in _PLAIN:
        if isinstance(value, base):
            held = base in {list, tuple, set, frozenset}
            return base([_plain(one, left) for one in value]) if held else base(value)
    return value


def _iterator_facts(expression: str, value: Any, known: Known) -> list[Fact]:
    """Facts of what an iterator holds, where its class shows it, and then of what it gives."""
    state = attribute_facts(expression, value, known, _facts)
    state += property_facts(expression, value, _facts)[:MAX_PARTS]
    try:
        return [*state, *_given_facts(expression, value)]
    except Exception:  # it may give nothing before it is entered
        return [*_kind_facts(expression, value), *state]


def _given_facts(expression: str, value: Any) -> list[Fact]:
    taken = []
    for one in value:
        taken.append(one)
        if len(taken) > MAX_ITEMS:
            break
    if len(taken) > MAX_ITEMS:
        start = taken[:5]
        asked = f"[next({expression}) for _ in range(5)]"
        return [one for one in _facts(asked, start) if one.strength == 3]  # noqa: PLR2004
    inner = _facts(f"list({expression})", taken)
    if inner:
        return inner[:1]
    return [Fact(f"assert len(list({expression})) == {len(taken)}", (), 2)]


def _kind_facts(expression: str, value: Any) -> list[Fact]:
    named = import_of(type(value))
    if named is None or named[1][:1] == "_":
        return [Fact(f'assert type({expression}).__name__ == "{type(value).__name__}"', (), 1)]
    statement, name = named
    return [Fact(f"assert isinstance({expression}, {name})", (statement,) if statement else (), 1)]


def _text_facts(expression: str, value: Any) -> list[Fact]:
    kind = type(value)
    own = getattr(kind, "__str__", None) is not _OBJECT_STR
    if not own:
        return []
    text = str(value)
    if len(text) > 300 or not is_stable_text(text) or re.search(r"[<{].*[>}]", text):  # noqa: PLR2004
        return []
    written = source_of(text)
    return [Fact(f"assert str({expression}) == {written.code}", (), 3)] if written else []


def _routine_facts(expression: str, value: Any) -> list[Fact]:
    named = import_of(value)
    if named is not None:
        return [Fact(f"assert {expression} is {named[1]}", (named[0],) if named[0] else (), 3)]
    name = getattr(value, "__name__", None)
    facts = [Fact(f"assert callable({expression})", (), 1)]
    if isinstance(name, str) and name.isidentifier():
        facts.insert(0, Fact(f'assert {expression}.__name__ == "{name}"', (), 2))
    where = getattr(value, "__qualname__", "")
    if "<locals>" in where:  # which of several inner functions it is
        facts.append(Fact(f'assert {expression}.__qualname__ == "{where}"', (), 0))
    return [*_signature_facts(expression, value), *facts]


def _signature_facts(expression: str, value: Any) -> list[Fact]:
    """Facts of a function that the code made: how it can be called."""
    if not isinstance(value, types.FunctionType):
        return []
    shown = str(inspect.signature(value))
    if len(shown) > MAX_SHOWN or not is_stable_text(shown) or re.search(r"<[^>]+>", shown):
        return []
    written = source_of(shown)
    if written is None or shown == "(*args, **kwargs)":
        return []
    code = f"assert str(inspect.signature({expression})) == {written.code}"
    return [Fact(code, ("import inspect",), 2)]


def _mock_facts(expression: str, value: Any) -> list[Fact]:
    count = getattr(value, "call_count", None)
    return [Fact(f"assert {expression}.call_count == {count}", (), 2)] if type(count) is int else []


def _stream_facts(expression: str, value: Any) -> list[Fact]:
    """Facts of a stream in memory: all that was written to it, and where it stands."""
    if value.closed:
        return [Fact(f"assert {expression}.closed is True", (), 2)]
    written = _facts(f"{expression}.getvalue()", value.getvalue())
    return [
        *(Fact(one.code, one.imports, 2) for one in written[:1]),
        Fact(f"assert {expression}.tell() == {value.tell()}", (), 2),
    ]


def _object_facts(expression: str, value: Any, known: Known) -> list[Fact]:
    facts = _kind_facts(expression, value)
    facts += _text_facts(expression, value)
    if hasattr(type(value), "__len__"):
        facts.append(Fact(f"assert len({expression}) == {len(value)}", (), 2))
    facts += _item_facts(expression, value)
    facts += attribute_facts(expression, value, known, _facts)
    facts += property_facts(expression, value, _facts)[:MAX_PARTS]
    return [*facts, *answer_facts(expression, value, _facts)]
