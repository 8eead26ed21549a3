"""What it means that a file was changed, in points and names of the version before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.stars import Star
    from pytest_aipipe.select.tables import Table


@dataclass(slots=True)
class Impact:
    """Who notices: tests that ran ``lines`` or ``entries`` of the old version, and users.

    ``names`` are those of the module whose value may differ (a class for all that stands in
    its body); ``added`` names that were not there before; ``described`` functions and classes of
    which the text differs; ``signed`` functions, and classes, that only take other arguments, with
    the words of that (:func:`pytest_aipipe.select.signatures.words`), ``annotated`` those
    with other annotations; ``methods`` are (class, method) whose signature differs, ``values``
    (class, name) of plain values that do; ``tables`` are by (class or "", test) what differs in its
    rows alone, ``lists`` by name what may be such rows; ``handed``
    functions of which only who reads annotations, or has them in hand without calling them, can
    tell; None where annotations do not count. ``whole`` says why nothing finer can be said, ""
    where it can; ``script`` that what runs only where the file is run as a script differs.
    """

    lines: set[int] = field(default_factory=set)
    entries: set[int] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    described: set[str] = field(default_factory=set)
    signed: dict[str, set[str]] = field(default_factory=dict)
    annotated: set[str] = field(default_factory=set)
    methods: set[tuple[str, str]] = field(default_factory=set)
    values: set[tuple[str, str]] = field(default_factory=set)
    tables: dict[tuple[str, str], list[Table]] = field(default_factory=dict)
    lists: dict[str, Table] = field(default_factory=dict)
    hooks: set[str] = field(default_factory=set)
    stars: list[Star] = field(default_factory=list)
    handed: set[str] | None = None
    whole: str = ""
    script: bool = False

    def add(self, points: Points) -> None:
        """Add points."""
        self.lines |= points[0]
        self.entries |= points[1]

    @property
    def is_empty(self) -> bool:
        """Whether the two versions mean the same to who imports them."""
        return self == Impact(script=self.script)

    @property
    def is_inside(self) -> bool:
        """Whether only statements of functions differ."""
        return self == Impact(lines=self.lines, entries=self.entries)
