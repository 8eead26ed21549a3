"""What a change of some files asks for, and which lines it asks for in one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select.compare import compare
from pytest_aipipe.select.graph import Graph
from pytest_aipipe.select.spread import Spread

if TYPE_CHECKING:
    from pytest_aipipe.select.demand import Demand


def spread(
    files: dict[str, str], path: str, old: str, new: str, tests: set[str] | None = None
) -> Spread:
    """Return what spreads where ``old`` becomes ``new`` in one of ``files``.

    In each of them stand tests, or in some only.
    """
    graph = Graph(files, lambda name: files[name].encode(), ("",))
    found = Spread(
        {name: [("d", text.encode())] for name, text in files.items()}, graph, tests or files
    )
    before, after = files[path], files[path].replace(old, new)
    assert before != after
    found.add((path, "d"), compare(before.encode(), after.encode()), after.encode())
    return found


def demand(
    files: dict[str, str], path: str, old: str, new: str, tests: set[str] | None = None
) -> Demand:
    """Return what is asked for then."""
    return spread(files, path, old, new, tests).demand


def lines(found: Demand, path: str) -> set[int]:
    """The lines that are asked for in a file, whichever clause asks."""
    return {
        line
        for clause in found.clauses
        for wanted in clause.wanted
        for key, points in wanted.items()
        if key[0] == path and points
        for line in points[0]
    }
