"""What one version of a file mentions and defines; :mod:`~pytest_aipipe.select.reader` reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pytest_aipipe.select.keeping import Kept

if TYPE_CHECKING:
    from pytest_aipipe.select.parts import Points

DOTTED = re.compile(r"[\w.:]+")
STAR = "*"
"""Stands for every name of a module: code that looks through a module's names."""

OWN = "*own"
"""Stands for the attributes that an object has of its own, or a class that a metaclass makes: code
that looks through these."""

VARIABLE = "*variable"
"""Stands for what a variable has of its own, which is an instance most often."""

OBJECT = "*object"
"""Stands for the attributes of what a method is called on, or of a class: of no module."""

ARGUMENTS = "*arguments"
"""Stands for the names of a function's arguments: code that asks a signature for no more."""

LOOKUP = "getattr()"
"""Stands for every attribute: code that looks one up by a name that it computes."""

_ASKED = frozenset({"__getattr__", "__getattribute__"})

ANY = "?"
"""Stands for an error of which no name is read."""

CATCHERS = frozenset({"raises", "suppress", "assertRaises", "assertRaisesRegex"})
"""Names of what catches an error that it is given, without an ``except``."""


class Way(NamedTuple):
    """How a name is mentioned.

    ``name``: by an identifier. ``attribute``: of ``base`` ("" for what is no
    dotted name).
    ``import``: from the module ``base``, ``level`` dots up. ``text``: in a string.
    """

    kind: str
    base: str = ""
    level: int = 0


BY_NAME, BY_TEXT = Way("name"), Way("text")
Told = dict[str, set[Way]]


@dataclass(frozen=True, slots=True)
class Binder:
    """A statement that runs at import: what it mentions, and what it binds.

    ``effect`` says that it runs a call whose result nobody keeps, or an error, or decides
    whether such runs; ``star`` the module (as in :class:`Way`) of which it takes every name,
    ``makes`` that it is no definition and no import: what it makes lives as long as the module.
    ``method`` is that of which it is no more than the defaults, ``test`` that of which it is no
    more than these and the marks, ``values`` what it gives its class as plain values. ``still``
    are the names that it only puts somewhere, and does nothing with but to ask for an attribute;
    ``noted`` those of its annotation alone, ``tables`` those that a test's marks take rows from and
    nothing else, each with the arguments that these are for.
    """

    mentions: Told
    binds: frozenset[str]
    effect: bool = False
    star: Way | None = None
    makes: bool = False
    method: str = ""
    still: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    noted: frozenset[str] = frozenset()
    test: str = ""
    tables: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Function(NamedTuple):
    """A function: its outermost name, and whether it keeps what it returned once.

    What one ``remembers`` by itself it looks up each time: who is served by it has entered it.
    Objects of a class inside another one are made where nobody looks: they are taken to
    last.
    """

    name: str
    top: str
    span: range
    keeps: bool = False
    remembers: Kept = Kept()
    lasts: bool = False

    @property
    def serves_others(self) -> bool:
        """Whether what it remembers is there for others: it is its module's, or it lasts."""
        return self.lasts or self.top == self.name


@dataclass(slots=True)
class Mentions:
    """What one version of a file mentions and defines.

    In ``lines`` a number below zero stands for the entry of the lambda that begins there.
    ``entries`` are those of every function below an outermost name, ``methods`` those of
    each class by name; ``bases`` the last identifiers of a class' bases. ``catches`` are, by the
    last name of the error (:data:`ANY` where it has none), the lines that run where one is
    caught: an ``except``, or a ``with raises(...)``.
    """

    lines: dict[str, dict[Way, set[int]]] = field(default_factory=dict)
    binders: list[Binder] = field(default_factory=list)
    imports: dict[str, set[Way]] = field(default_factory=dict)  # bound name: from where
    entries: dict[str, Points] = field(default_factory=dict)
    methods: dict[str, dict[str, Points]] = field(default_factory=dict)
    bases: dict[str, list[str]] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    fixtures: set[str] = field(default_factory=set)
    autouse: set[str] = field(default_factory=set)
    shaped: set[str] = field(default_factory=set)  # classes that something else has a say in
    catches: dict[str, set[int]] = field(default_factory=dict)
    shared: list[range] = field(default_factory=list)  # fixtures of a wider scope
    readable: bool = True

    def looking_up(self) -> set[int]:
        """Return the lines that look attributes up by computed names.

        Not those of ``__getattr__``: what it is asked for stands where it is asked.
        """
        asked = [one.span for one in self.functions if one.name in _ASKED]
        lines = self.lines.get(LOOKUP, {}).get(BY_NAME, set())
        return {line for line in lines if not any(abs(line) in span for span in asked)}
