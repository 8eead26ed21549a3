"""Code of a project that asks for its own metadata, the version above all.

Who opened the metadata is recorded. What a module made of it at import, and what a function
that keeps its result made, serves others as well: they are found by the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select import parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_aipipe.select.index import Index, Key
    from pytest_aipipe.select.mentions import Mentions, Way
    from pytest_aipipe.select.parts import Points

WORDS = ("metadata", "pkg_resources")
"""One of them stands in every text that asks."""

ASKING = ("importlib", "importlib_metadata", "pkg_resources")
"""Modules that answer for what is installed."""


def made(index: Index, path: str, *, was_early: bool) -> set[str] | None:
    """Return the names that a module, which read metadata at import, may have made of it.

    None where that is not to be told. Of a module that was loaded early (``was_early``)
    nothing was heard: there only the text speaks.
    """
    found: set[str] = set()
    for _, there in index.of_path(path):
        names = _asking(there)
        if was_early and _lines(there, names):
            return None
        for binder in there.binders:
            used = {name for name, ways in binder.mentions.items() if any(map(_is_use, ways))}
            if not (used & names if was_early else used):
                continue
            if binder.effect:
                return None
            found |= binder.binds
    return found if found or was_early else None


def asking(index: Index) -> list[tuple[Key, Points]]:
    """Return the lines of functions that may ask for metadata."""
    found = []
    for word in WORDS:
        for key, there in index.mentioning(word):
            lines = _lines(there, _asking(there))
            if lines:
                found.append((key, parts.lines(lines)))
    return found


def _asking(there: Mentions) -> set[str]:
    """Return the names that stand for what answers."""
    return {
        name
        for name, ways in there.imports.items()
        if any(not way.level and way.base.partition(".")[0] in ASKING for way in ways)
    }


def _lines(there: Mentions, names: Iterable[str]) -> set[int]:
    """Return the lines of functions that use one of ``names``."""
    uses = (there.lines.get(name, {}).items() for name in names)
    return {line for some in uses for way, lines in some if _is_use(way) for line in lines}


def _is_use(way: Way) -> bool:
    return way.kind in ("name", "attribute")
