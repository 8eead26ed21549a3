"""Which lines and branches a file has, and which of them ran, as coverage.py counts them.

What is excluded (``# pragma: no cover``, ``exclude_also``, partial branches) is what the
project's own coverage configuration says, so that our figures are those of a
``coverage run --branch`` in the project. Only that is read from it: where it measures,
what it omits and where it stores do not concern us.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_aipipe.measure.trace import Arcs

_EXCLUSION = ("report:exclude_lines", "report:exclude_also", "report:partial_branches",
              "report:partial_also")  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """A file's statements and branch arcs, and those that ran."""

    statements: frozenset[int]
    executed: frozenset[int]
    branches: Arcs
    executed_branches: Arcs

    def within(self, lines: frozenset[int]) -> FileCoverage:
        """Return what of it lies on ``lines``; a branch lies where it starts."""
        return FileCoverage(
            statements=self.statements & lines,
            executed=self.executed & lines,
            branches=frozenset(arc for arc in self.branches if arc[0] in lines),
            executed_branches=frozenset(arc for arc in self.executed_branches if arc[0] in lines),
        )


class Analyst:
    """Answers what ran in a file, by the exclusion rules of the project in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.exclusion = _exclusion(folder)

    def analyse(self, file: Path, arcs: Iterable[tuple[int, int]]) -> FileCoverage | None:
        """Return the figures of ``file`` given that ``arcs`` ran; None where it cannot be read."""
        coverage = Coverage(data_file=None, branch=True, config_file=False, messages=False)
        for option, value in self.exclusion.items():
            coverage.set_option(option, value)
        # One arc at least, or coverage.py takes the data for data without branches.
        coverage.get_data().add_arcs({str(file): [*arcs] or [(-1, -1)]})
        try:
            found: Any = coverage._analyze(str(file))  # noqa: SLF001 - what `coverage json` asks
        except Exception:  # not Python, a syntax error, gone
            return None
        finally:
            # Left to the collector, its database would be a ResourceWarning of Python 3.13 in
            # whatever test runs then.
            coverage.get_data().close(force=True)
        executed = _arcs(found.executed_branch_arcs())
        return FileCoverage(
            statements=frozenset(found.statements),
            executed=frozenset(found.statements) - frozenset(found.missing),
            branches=executed | _arcs(found.missing_branch_arcs()),
            executed_branches=executed,
        )


def _arcs(by_line: dict[int, list[int]]) -> Arcs:
    return frozenset((start, end) for start, ends in by_line.items() for end in ends)


def _exclusion(folder: Path) -> dict[str, Any]:
    """Return the exclusion settings that coverage.py finds in ``folder``."""
    try:
        with contextlib.chdir(folder):
            configured = Coverage(data_file=None, config_file=True, messages=False)
    except Exception:  # a configuration that coverage.py refuses: its defaults then
        return {}
    found = {}
    for option in _EXCLUSION:
        with contextlib.suppress(Exception):  # an option that this release does not know
            found[option] = configured.get_option(option)
    return found
