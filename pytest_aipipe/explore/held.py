"""What an object lets others see: its attributes, its properties, and what it says when asked.

What the test's last call changed comes first: that an object still holds what it was made
with says little of the code that was called.
"""

from __future__ import annotations

import inspect
import pathlib
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_aipipe.explore.fact import Fact, is_stable_text
from pytest_aipipe.explore.rebuild import Source, source_of

MAX_ATTRIBUTES = 40
MAX_PARTS = 20
MAX_PART = 160
MAX_FILE = 2000  # bytes
MAX_ANSWERS = 8
_ASKED = re.compile(r"(as|to|is|has)_[a-z0-9_]+|isoformat")
"""Methods that by their name answer and change nothing."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the test in which a value is looked at.

    ``names`` are the test's own objects by their ``id``, ``sets`` the attributes that the test
    itself assigns, ``inside`` the names of the objects whose private sides it uses anyway,
    ``made`` what the attributes of a named object were when it was bound.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    sets: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()
    made: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


NOTHING = Known()
Tell = Callable[[str, Any, Known], list[Fact]]
"""Facts of an expression, its value, and what is known of the test."""


def attributes_of(expression: str, value: Any, known: Known) -> dict[str, str]:
    """Return the attributes that can be asserted of ``value``, as source: what they are now."""
    return {name: written.code for name, _, written in _written(expression, value, known)}


def attribute_facts(expression: str, value: Any, known: Known, tell: Tell) -> list[Fact]:
    """Return facts of the attributes of ``value``, those that changed since it was made first."""
    made = known.made.get(expression, {})
    changed: list[Fact] = []
    same: list[Fact] = []
    for name, held, written in _written(expression, value, known):
        is_changed = bool(made) and made.get(name) != written.code
        if name.startswith("_") and name not in known.sets and not is_changed:
            continue
        place = f"{expression}.{name}"
        if id(held) in known.names:
            inner = [Fact(f"assert {place} is {known.names[id(held)]}")]
        else:
            inner = tell(place, held, Known(known.names))[:1]
        strength = 0 if name.startswith("_") else 2
        facts = [Fact(one.code, one.imports, strength) for one in inner]
        (changed if is_changed else same).extend(facts)
    return [*changed, *same][:MAX_PARTS]


def _written(expression: str, value: Any, known: Known) -> Iterator[tuple[str, Any, Source]]:
    """Yield the attributes that have a short, stable source: name, value and source."""
    seen = 0
    for name in _attributes(value, known.sets, private=expression in known.inside):
        static = inspect.getattr_static(value, name, None)
        if isinstance(static, property | types.FunctionType | classmethod | staticmethod):
            continue
        try:
            held = getattr(value, name)
        except Exception:  # noqa: S112 - an empty slot, or a descriptor that raises
            continue
        if id(held) in known.names:
            yield name, held, Source(known.names[id(held)])
            continue
        written = source_of(held, names=known.names)
        if written is None or len(written.code) > MAX_PART or not is_stable_text(written.code):
            continue
        yield name, held, written
        seen += 1
        if seen == MAX_ATTRIBUTES:
            return


def _attributes(value: Any, sets: frozenset[str], *, private: bool) -> list[str]:
    """Return the names of public attributes, of those in ``sets``, of ``private`` ones."""
    names = list(getattr(value, "__dict__", {}))
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return [
        one
        for one in dict.fromkeys(names)
        if isinstance(one, str)
        and one.isidentifier()
        and (not one.startswith("_") or one in sets or (private and not one.startswith("__")))
    ]


def property_facts(expression: str, value: Any, tell: Tell) -> list[Fact]:
    """Return facts of an object's public properties: what its class shows of its state."""
    names = [
        name
        for base in type(value).__mro__
        for name, held in vars(base).items()
        if isinstance(held, property) and not name.startswith("_")
    ]
    facts: list[Fact] = []
    for name in dict.fromkeys(names):
        try:
            seen = getattr(value, name)
        except Exception:  # noqa: S112 - a property may raise anything
            continue
        facts += _short(f"{expression}.{name}", seen, tell, 2)
    return facts


def answer_facts(expression: str, value: Any, tell: Tell) -> list[Fact]:
    """Return facts of what an object says when it is asked: ``document.as_string()``."""
    names = [
        name
        for base in type(value).__mro__
        if base.__module__ not in {"builtins", "datetime", "fractions", "decimal"}
        for name, held in vars(base).items()
        if isinstance(held, types.FunctionType) and _ASKED.fullmatch(name) and _needs_nothing(held)
    ]
    facts: list[Fact] = []
    for name in list(dict.fromkeys(names))[:MAX_ANSWERS]:
        try:
            seen = getattr(value, name)()
        except Exception:  # noqa: S112 - a stranger's method may raise anything
            continue
        facts += _short(f"{expression}.{name}()", seen, tell, 0)
    return facts


def _needs_nothing(method: types.FunctionType) -> bool:
    if inspect.iscoroutinefunction(method) or inspect.isgeneratorfunction(method):
        return False
    _, *others = inspect.signature(method).parameters.values()
    return all(
        one.default is not one.empty or one.kind in {one.VAR_POSITIONAL, one.VAR_KEYWORD}
        for one in others
    )


def _short(place: str, seen: Any, tell: Tell, strength: int) -> list[Fact]:
    written = source_of(seen)
    if written is None or len(written.code) > MAX_PART or not is_stable_text(written.code):
        return []
    inner = tell(place, seen, NOTHING)[:1]
    return [Fact(one.code, one.imports, strength) for one in inner]


def path_facts(expression: str, value: pathlib.PurePath) -> list[Fact]:
    """Return facts of a file of the test's own: whether it is there, and its text."""
    if not isinstance(value, pathlib.Path) or not value.is_absolute():
        return []
    if value.is_dir():
        names = sorted(one.name for one in value.iterdir())
        shown = f"assert sorted(one.name for one in {expression}.iterdir()) == {names!r}"
        return [Fact(shown, (), 0)] if len(shown) <= MAX_PART and is_stable_text(shown) else []
    if not value.exists():
        return [Fact(f"assert not {expression}.exists()", (), 0)]
    if not value.is_file() or value.stat().st_size > MAX_FILE:
        return []
    try:
        written = source_of(value.read_bytes().decode())
    except UnicodeDecodeError:
        return []
    if written is None or len(written.code) > MAX_PART or not is_stable_text(written.code):
        return []
    read = f'{expression}.read_text(encoding="utf-8")'
    return [Fact(f"assert {read} == {written.code}", (), 0)]
