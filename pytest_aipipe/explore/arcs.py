"""Raw arcs in the terms of coverage.py's reports, for the changed files' sources."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from coverage.exceptions import CoverageException
from coverage.parser import PythonParser

from pytest_aipipe.generate.model import Arc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Reach = tuple[dict[str, frozenset[int]], dict[str, frozenset[Arc]]]


class Translator:
    """Translates arcs as seen to lines and arcs as reported, as ``coverage.results`` does."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._parsers: dict[str, PythonParser] = {}
        self._single: dict[str, dict[int, int]] = {}
        for path, text in sources.items():
            try:
                parser = PythonParser(text=text, filename=path)
                parser.parse_source()
                self._single[path] = _single_destinations(parser.arcs())
            except (CoverageException, SyntaxError, ValueError, AssertionError):
                continue
            self._parsers[path] = parser

    def reach(self, raw: Mapping[str, Iterable[Iterable[int]]]) -> Reach:
        """Return the lines and arcs of each file that ``raw`` amounts to."""
        lines: dict[str, frozenset[int]] = {}
        arcs: dict[str, frozenset[Arc]] = {}
        for path, seen in raw.items():
            parser = self._parsers.get(path)
            if parser is None:
                continue
            pairs = [(int(a), int(b)) for a, b in seen]
            ran = {line for pair in pairs for line in pair if line > 0}
            lines[path] = frozenset(parser.translate_lines(ran) & parser.statements)
            arcs[path] = self._arcs(path, parser, pairs)
        return lines, arcs

    def _arcs(self, path: str, parser: PythonParser, pairs: Iterable[Arc]) -> frozenset[Arc]:
        single = self._single[path]
        found: set[Arc] = set()
        for start, end in parser.translate_arcs(pairs):
            if start != end:
                found.add((start, end))
            elif start in single:
                found.add((start, single[start]))
        return frozenset(arc for arc in parser.translate_arcs(found) if arc[0] != arc[1])


def _single_destinations(arcs: Iterable[Arc]) -> dict[int, int]:
    ends: dict[int, set[int]] = defaultdict(set)
    for start, end in arcs:
        ends[start].add(end)
    return {start: next(iter(all_)) for start, all_ in ends.items() if len(all_) == 1}
