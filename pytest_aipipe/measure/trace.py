"""What ran, by test: plain values that can be merged and sent between processes.

A :data:`Trace` maps a context (a test's node id, or "" for what ran outside every test:
imports, collection) to the arcs that it ran in each measured file, by repository-relative
path. Arcs are coverage.py's: ``(from line, to line)``, negative where code is entered or
left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Arcs = frozenset[tuple[int, int]]
Trace = dict[str, dict[str, Arcs]]

OUTSIDE = ""
"""The context of what ran outside every test."""


def merge(traces: Iterable[Mapping[str, Mapping[str, Arcs]]]) -> Trace:
    """Return the union of ``traces``; the order does not matter."""
    merged: Trace = {}
    for trace in traces:
        for context, files in trace.items():
            mine = merged.setdefault(context, {})
            for path, arcs in files.items():
                mine[path] = mine.get(path, frozenset()) | arcs
    return merged


def union(trace: Trace, contexts: Iterable[str] | None = None) -> dict[str, Arcs]:
    """Return the arcs by path that ran in any of ``contexts`` (default: in all)."""
    wanted = trace.keys() if contexts is None else contexts
    return merge({OUTSIDE: trace.get(context, {})} for context in wanted).get(OUTSIDE, {})


def lines_of(arcs: Iterable[tuple[int, int]]) -> frozenset[int]:
    """Return the lines that ``arcs`` touch, as coverage.py counts them."""
    return frozenset(line for arc in arcs for line in arc if line > 0)


def packed(trace: Trace) -> dict[str, dict[str, list[int]]]:
    """Return ``trace`` in types that any wire can carry."""
    return {
        context: {path: [n for arc in sorted(arcs) for n in arc] for path, arcs in files.items()}
        for context, files in trace.items()
    }


def unpacked(wire: Mapping[str, Mapping[str, list[int]]]) -> Trace:
    """Return what :func:`packed` packed."""
    return {
        context: {
            path: frozenset(zip(flat[::2], flat[1::2], strict=True)) for path, flat in files.items()
        }
        for context, files in wire.items()
    }
