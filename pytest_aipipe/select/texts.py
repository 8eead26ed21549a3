"""Who notices that another text describes a function or a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select import parts
from pytest_aipipe.select.following import Following, is_looked_at, naming

if TYPE_CHECKING:
    from pytest_aipipe.select.index import Key
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.spread import Spread

TEXTS = frozenset({"__doc__", "getdoc", "pydoc"})
"""Names by which a text is read that describes a function or a class."""


def add_described(spread: Spread, key: Key, name: str) -> None:
    """Ask for who may notice that another text describes ``name`` of a file.

    It takes code that reads such texts, and to use the name. Where a base, a metaclass or a
    decorator may have read the class', all who use it are asked for.
    """
    path = key[0]
    why = f"may read the text of {name} of {path}, which changed"
    if is_looked_at(spread.index, (path, name)):
        spread.ask(path, {name}, why, wider=False)
        return
    reading: dict[Key, Points | None] = {}
    for where in spread.index.versions:
        for one, there in spread.index.of_path(where):
            points = naming(there, set(TEXTS), TEXTS) if there.readable else None
            if points != parts.NOWHERE:
                reading[one] = points
    Following(spread, why, reading, handed=False).of(path, name)
