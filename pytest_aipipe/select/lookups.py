"""Where an attribute may be read without its name: by a computed one, or with all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select import parts
from pytest_aipipe.select.asking import ALL
from pytest_aipipe.select.mentions import OWN, STAR, VARIABLE
from pytest_aipipe.select.spelling import may_be_spelled

if TYPE_CHECKING:
    from pytest_aipipe.select.index import Class, Key
    from pytest_aipipe.select.mentions import Mentions
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.spread import Spread

WORDS = ("attr", "methodcaller", *sorted(ALL))
"""What stands in a file that reads attributes by no name of theirs."""


def looking(
    spread: Spread, name: str, below: str = "", *, method: bool = False
) -> dict[Key, Points | None]:
    """Return the points, by version of file, that may come to an attribute ``name`` unnamed.

    A computed name counts where texts of the project can make it this one; what looks through an
    object, always, but for a ``method`` only where that may be a class. Only files in the
    folder ``below`` are asked, "" for all.
    """
    index = spread.index
    spelled = may_be_spelled(
        name,
        (
            text
            for path, some in index.versions.items()
            if path in spread.loadable
            for _, text in some
        ),
    )
    found: dict[Key, Points | None] = {}
    for word in WORDS:
        for key, there in index.mentioning(word):
            if below and not key[0].startswith(f"{below}/"):
                continue
            lines = through(there) - (_of(there, VARIABLE) if method else set())
            lines |= there.looking_up() if spelled else set()
            if lines:
                found[key] = parts.lines(lines)
    return found


def through(there: Mentions) -> set[int]:
    """Return the lines that may look through all that a class has.

    Not those that look through an object's own attributes, nor those of a metaclass that look
    through what it makes: they come to no other class.
    """
    return _of(there, STAR) - _of(there, OWN)


def _of(there: Mentions, what: str) -> set[int]:
    return {line for lines in there.lines.get(what, {}).values() for line in lines}


def add_looked_through(spread: Spread, one: Class, why: str) -> None:
    """Ask for what a statement that runs at import makes by looking through a class."""
    names = {name for _, name in spread.index.below(one)}
    for name in names:
        for key, there in spread.index.mentioning(name):
            for binder in there.binders if spread.can_load(key[0], one[0]) else ():
                if STAR in binder.mentions and names & binder.mentions.keys():
                    if binder.effect:
                        spread.demand.whole.setdefault(key[0], f"{key[0]} {why}")
                    spread.bound(key, there, binder, why)
