"""The order of stages: who waits for whom, and that nobody waits in a circle."""

from __future__ import annotations

import difflib
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aipipe.pipeline.lines import Lines


def ordered(depends: Mapping[str, Sequence[str]], lines: Lines) -> list[str]:
    """Return the names so that each comes after all that it depends on; else as in the file.

    Raises ``RequestError``: ``pipeline-unknown-stage``, ``pipeline-cycle``.
    """
    for name, needed in depends.items():
        for other in needed:
            if other not in depends:
                raise _unknown(name, other, list(depends), lines)
    sorter = TopologicalSorter(depends)
    try:
        sorter.prepare()
    except CycleError as error:
        raise _cycle(error.args[1], lines) from error
    rank = {name: n for n, name in enumerate(depends)}
    found: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=rank.__getitem__)
        found += ready
        sorter.done(*ready)
    return found


def _unknown(name: str, other: str, known: list[str], lines: Lines) -> RequestError:
    near = difflib.get_close_matches(other, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    return RequestError(
        "pipeline-unknown-stage",
        f"{name!r} depends on {other!r}, which is no stage",
        where=lines.where(("stages", name, "depends_on")),
        hint=hint,
    )


def _cycle(names: Sequence[str], lines: Lines) -> RequestError:
    """Name the circle in the direction in which the file says it: each waits for the next."""
    circle = list(reversed(names))
    start = min(circle, key=lambda name: lines.of(("stages", name)))
    inner = circle[:-1]
    turn = inner.index(start)
    inner = inner[turn:] + inner[:turn]
    told = " -> ".join(
        f"{name} (line {lines.of(('stages', name, 'depends_on'))})" for name in inner
    )
    return RequestError(
        "pipeline-cycle",
        f"These stages wait for each other in a circle: {told} -> {start}",
        where=lines.where(("stages", start, "depends_on")),
        hint="Take one of the depends_on away.",
    )
