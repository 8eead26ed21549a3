"""Values as Python source that builds an equal value."""

from __future__ import annotations

import builtins
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import math
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

MAX_SOURCE = 1200
MAX_DEPTH = 6
MAX_ITEMS = 60
_PLAIN = (int, str, bytes, bool, type(None), type(...))


class Unwritable(Exception):  # noqa: N818 - an answer, not an error
    """The value cannot be written as source."""


@dataclass(frozen=True, slots=True)
class Source:
    """An expression and the import statements that it needs."""

    code: str
    imports: tuple[str, ...] = ()


Constructed = Callable[[Any], tuple[tuple[Any, ...], Mapping[str, Any]] | None]
"""Answers with the arguments that an instance was constructed with, where they are known."""


def source_of(
    value: Any,
    constructed: Constructed | None = None,
    names: Mapping[int, str] = MappingProxyType({}),
) -> Source | None:
    """Return source that builds a value equal to ``value``, or None.

    ``constructed`` is asked for instances that have no other written form. What ``value``
    holds of the objects in ``names`` (by their ``id``) is written as those names.
    """
    writer = _Writer(constructed, names)
    try:
        code = writer.write(value, 0)
    except Unwritable:
        return None
    except Exception:  # a stranger's __eq__, __iter__ or __repr__ may raise anything
        return None
    if len(code) > MAX_SOURCE:
        return None
    return Source(code, tuple(sorted(writer.imports)))


CANDIDATE = "test_aipipe_candidate"
"""The module that a candidate is tried in: no file has that name when the test is written."""


def import_of(thing: Any) -> tuple[str, str] | None:
    """Return the import statement and the expression that name a class or function, or None."""
    module = getattr(thing, "__module__", None)
    qualname = getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str) or "<" in qualname:
        return None
    found: Any = sys.modules.get(module)
    try:
        for part in qualname.split("."):
            found = getattr(found, part)
    except AttributeError:
        return None
    if found is not thing or module == "__main__":
        return None
    if module == "builtins" or module.rpartition(".")[2] == CANDIDATE:
        return "", qualname  # the test's own module is not imported by it
    top = qualname.split(".")[0]
    return f"from {_public_module(module, top)} import {top}", qualname


def _public_module(module: str, name: str) -> str:
    """Prefer ``pkg`` to ``pkg._private`` where the package shows the very same object."""
    parts = module.split(".")
    wanted = getattr(sys.modules.get(module), name, None)
    for cut in range(len(parts)):
        if parts[cut].startswith("_"):
            shown = getattr(sys.modules.get(".".join(parts[:cut])), name, None)
            if cut and shown is wanted:
                return ".".join(parts[:cut])
            break
    return module


class _Writer:
    """Writes one value, gathering the imports on the way."""

    def __init__(self, constructed: Constructed | None, names: Mapping[int, str]) -> None:
        self.imports: set[str] = set()
        self.constructed = constructed
        self.names = names
        self._open: set[int] = set()

    def write(self, value: Any, depth: int) -> str:
        """Return the source of ``value`` or raise :class:`Unwritable`."""
        kind = type(value)
        if kind in _PLAIN:
            return self._plain(value)
        if kind is float:
            return self._float(value)
        if kind is complex:
            if not (math.isfinite(value.real) and math.isfinite(value.imag)):
                raise Unwritable
            return repr(value)
        if depth and id(value) in self.names:
            return self.names[id(value)]
        if depth > MAX_DEPTH or id(value) in self._open:
            raise Unwritable
        self._open.add(id(value))
        try:
            return self._compound(value, kind, depth + 1)
        finally:
            self._open.discard(id(value))

    def _plain(self, value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**40:
            raise Unwritable
        if value is ...:
            return "..."
        text = repr(value)
        return _double_quoted(value, text)

    def _float(self, value: float) -> str:
        if math.isfinite(value):
            return repr(value)
        return f'float("{value!r}")'

    def _compound(self, value: Any, kind: type, depth: int) -> str:
        writer = _CONTAINERS.get(kind) or _LEAVES.get(kind)
        if writer is not None:
            return writer(self, value, depth)
        if isinstance(value, enum.Enum):
            return self._enum(value)
        if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
            return self.name(value)
        if isinstance(value, pathlib.PurePath):
            shown = pathlib.Path if isinstance(value, pathlib.Path) else type(value)
            return f"{self.name(shown)}({_double_quoted(str(value), repr(str(value)))})"
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return self._call(kind, (), dict(zip(kind._fields, value, strict=True)), depth)
        if dataclasses.is_dataclass(value):
            return self._dataclass(value, kind, depth)
        return self._instance(value, kind, depth)

    def _enum(self, value: enum.Enum) -> str:
        if not str(value.name).isidentifier():
            raise Unwritable
        return f"{self.name(type(value))}.{value.name}"

    def _dataclass(self, value: Any, kind: type, depth: int) -> str:
        fields = [f for f in dataclasses.fields(value) if f.init]
        given = {}
        for one in fields:
            held = getattr(value, one.name)
            if one.default is not dataclasses.MISSING and _same(one.default, held):
                continue
            if one.default_factory is not dataclasses.MISSING and _same(
                one.default_factory(), held
            ):
                continue
            given[one.name] = held
        code = self._call(kind, (), given, depth)
        rebuilt = kind(**given)
        if not _same(rebuilt, value):
            raise Unwritable
        return code

    def _instance(self, value: Any, kind: type, depth: int) -> str:
        known = self.constructed(value) if self.constructed else None
        if known is None:
            raise Unwritable
        return self._call(kind, known[0], known[1], depth)

    def _call(self, kind: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], depth: int) -> str:
        inner = [self.write(one, depth) for one in args]
        inner += [f"{name}={self.write(one, depth)}" for name, one in kwargs.items()]
        return f"{self.name(kind)}({', '.join(inner)})"

    def name(self, thing: Any) -> str:
        """Return the expression that names a class or function, noting its import."""
        found = import_of(thing)
        if found is None:
            raise Unwritable
        statement, expression = found
        if statement:
            self.imports.add(statement)
        return expression

    def items(self, values: Any, depth: int) -> list[str]:
        """Return the source of each of ``values``."""
        if len(values) > MAX_ITEMS:
            raise Unwritable
        return [self.write(one, depth) for one in values]


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _double_quoted(value: Any, text: str) -> str:
    """Return ``text`` (a repr) in double quotes where that needs no new escape."""
    if isinstance(value, str | bytes) and text.lstrip("b")[0] == "'" and '"' not in text:
        prefix = "b" if text[0] == "b" else ""
        return f'{prefix}"{text[len(prefix) + 1 : -1]}"'
    return text


def _list(w: _Writer, value: Any, depth: int) -> str:
    return f"[{', '.join(w.items(value, depth))}]"


def _tuple(w: _Writer, value: Any, depth: int) -> str:
    inner = w.items(value, depth)
    return f"({inner[0]},)" if len(inner) == 1 else f"({', '.join(inner)})"


def _set(w: _Writer, value: Any, depth: int) -> str:
    return f"{{{', '.join(sorted(w.items(value, depth)))}}}" if value else "set()"


def _frozenset(w: _Writer, value: Any, depth: int) -> str:
    return f"frozenset({_set(w, value, depth)})" if value else "frozenset()"


def _pairs(w: _Writer, value: Any, depth: int) -> str:
    keys, values = w.items(list(value), depth), w.items(list(value.values()), depth)
    return "{" + ", ".join(f"{k}: {v}" for k, v in zip(keys, values, strict=True)) + "}"


def _dict_like(w: _Writer, value: Any, depth: int) -> str:
    return f"{w.name(type(value))}({_pairs(w, value, depth)})"


def _default_dict(w: _Writer, value: Any, depth: int) -> str:
    factory = w.write(value.default_factory, depth)
    return f"{w.name(type(value))}({factory}, {_pairs(w, value, depth)})"


def _sequence_call(w: _Writer, value: Any, depth: int) -> str:
    return f"{w.name(type(value))}({_list(w, list(value), depth)})"


def _from_repr(w: _Writer, value: Any, _depth: int) -> str:
    return _named_repr(w, value, repr(value))


def _named_repr(w: _Writer, value: Any, text: str) -> str:
    name = w.name(type(value))
    return name + text[text.index("(") :].replace("'", '"')


def _datetime(w: _Writer, value: Any, _depth: int) -> str:
    w.imports.add("import datetime")
    if "tzinfo" in repr(value) and "datetime.timezone" not in repr(value):
        raise Unwritable
    return repr(value)


def _pattern(w: _Writer, value: Any, depth: int) -> str:
    w.imports.add("import re")
    flags = value.flags & ~re.UNICODE
    return f"re.compile({w.write(value.pattern, depth)}{f', {flags}' if flags else ''})"


def _range(_w: _Writer, value: Any, _depth: int) -> str:
    return repr(value)


def _bytearray(w: _Writer, value: Any, depth: int) -> str:
    return f"bytearray({w.write(bytes(value), depth)})"


_Write = Callable[[_Writer, Any, int], str]
_CONTAINERS: dict[type, _Write] = {
    list: _list,
    tuple: _tuple,
    set: _set,
    frozenset: _frozenset,
    dict: _pairs,
    collections.OrderedDict: _dict_like,
    collections.Counter: _dict_like,
    collections.defaultdict: _default_dict,
    collections.deque: _sequence_call,
}
_LEAVES: dict[type, _Write] = {
    decimal.Decimal: _from_repr,
    fractions.Fraction: _from_repr,
    uuid.UUID: _from_repr,
    dt.datetime: _datetime,
    dt.date: _datetime,
    dt.time: _datetime,
    dt.timedelta: _datetime,
    dt.timezone: _datetime,
    re.Pattern: _pattern,
    range: _range,
    slice: _range,
    bytearray: _bytearray,
}


def is_builtin_name(name: str) -> bool:
    """Return whether ``name`` needs no import."""
    return hasattr(builtins, name)
