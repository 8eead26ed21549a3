"""Find the gaps: a pure function over figures and symbols."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_aipipe.gaps.symbols import symbol_at, symbols_of
from pytest_aipipe.generate.model import Gap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_aipipe.measure.analysis import FileCoverage


def find_gaps(
    figures: Mapping[str, FileCoverage], sources: Mapping[str, str], modules: Mapping[str, str]
) -> list[Gap]:
    """Return the gaps of ``figures`` (already cut to the changed lines), biggest first.

    A branch belongs to the symbol that its source line stands in. ``modules`` gives each
    path's dotted import name.
    """
    gaps = [
        gap
        for path, found in figures.items()
        for gap in _gaps_of(path, found, sources[path], modules[path])
    ]
    return sorted(gaps, key=lambda gap: (-gap.size, gap.path, gap.symbol))


def _gaps_of(path: str, found: FileCoverage, source: str, module: str) -> list[Gap]:
    symbols = symbols_of(source)
    lines: dict[str, set[int]] = defaultdict(set)
    branches: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for line in found.statements - found.executed:
        lines[symbol_at(symbols, line)].add(line)
    for arc in found.branches - found.executed_branches:
        branches[symbol_at(symbols, arc[0])].add(arc)
    return [
        Gap(path, module, symbol, frozenset(lines[symbol]), frozenset(branches[symbol]))
        for symbol in sorted({*lines, *branches})
    ]
