"""Who notices that another text describes a function or a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select.following import Following, is_looked_at, reading

if TYPE_CHECKING:
    from pytest_aipipe.select.index import Key
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
    Following(spread, why, reading(spread.index, set(TEXTS)), handed=False).of(path, name)
