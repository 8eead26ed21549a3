"""The change's coverage as Cobertura's XML, which a merge request shows beside its lines.

https://docs.gitlab.com/ci/testing/code_coverage/cobertura/ and its
https://cobertura.github.io/cobertura/ (coverage-04.dtd). Changed lines only: of no other line
does the run say anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from aipipe_core.findings.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pytest_aipipe.measure.analysis import FileCoverage

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<!DOCTYPE coverage SYSTEM "
    '"http://cobertura.sourceforge.net/xml/coverage-04.dtd">\n'
)


def cobertura(files: Mapping[str, FileCoverage]) -> str:
    """Return the report of ``files``, by their paths from the repository's top.

    A line that ran has one hit, however often it ran. Nothing in it depends on the clock.
    """
    body = "".join(
        f"   {line}\n" for path, found in sorted(files.items()) for line in _class(path, found)
    )
    every = files.values()
    return (
        f'{_HEAD}<coverage {_rates(every)} {_counts(every)} complexity="0" version="1" '
        'timestamp="0">\n'
        " <sources><source>.</source></sources>\n"
        f' <packages><package name="change" {_rates(every)} complexity="0">\n'
        f"  <classes>\n{body}  </classes>\n"
        " </package></packages>\n</coverage>\n"
    )


def _class(path: str, found: FileCoverage) -> Iterator[str]:
    name = quoteattr(one_line(path))
    yield f'<class name={name} filename={name} {_rates([found])} complexity="0">'
    yield "<methods/><lines>"
    for number in sorted(found.statements):
        yield f" {_line(number, found)}"
    yield "</lines></class>"


def _line(number: int, found: FileCoverage) -> str:
    hits = int(number in found.executed)
    ways = [arc for arc in found.branches if arc[0] == number]
    if not ways:
        return f'<line number="{number}" hits="{hits}"/>'
    taken = sum(arc in found.executed_branches for arc in ways)
    share = f"{100 * taken // len(ways)}% ({taken}/{len(ways)})"
    return f'<line number="{number}" hits="{hits}" branch="true" condition-coverage="{share}"/>'


def _rates(files: Collection[FileCoverage]) -> str:
    lines = _share(_sum(files, "executed"), _sum(files, "statements"))
    branches = _share(_sum(files, "executed_branches"), _sum(files, "branches"))
    return f'line-rate="{lines}" branch-rate="{branches}"'


def _counts(files: Collection[FileCoverage]) -> str:
    return (
        f'lines-covered="{_sum(files, "executed")}" lines-valid="{_sum(files, "statements")}" '
        f'branches-covered="{_sum(files, "executed_branches")}" '
        f'branches-valid="{_sum(files, "branches")}"'
    )


def _sum(files: Collection[FileCoverage], name: str) -> int:
    return sum(len(getattr(found, name)) for found in files)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.4g}" if whole else "1"
