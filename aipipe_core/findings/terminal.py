"""The report on a terminal, or in a log: plain text where nobody looks at colours."""

from __future__ import annotations

import io
import os
import shutil
import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from aipipe_core.findings.model import Level
from aipipe_core.findings.text import clean, cut, defuse, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from aipipe_core.findings.model import Finding, Report, Section, Table

_STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.NOTE: "cyan"}
_PIPE_WIDTH = 100
_NARROWEST = 40
_MESSAGE = 2_000
_CODE = 20_000


@dataclass(frozen=True, slots=True)
class Terminal:
    """Renders for ``width`` columns, with or without colour."""

    width: int = _PIPE_WIDTH
    colour: bool = False
    ascii_only: bool = False

    @classmethod
    def for_stream(
        cls, stream: IO[str] | None = None, environ: Mapping[str, str] | None = None
    ) -> Terminal:
        """Return a renderer for what ``stream`` (default standard output) can show.

        ``NO_COLOR`` turns colours off, ``FORCE_COLOR`` on (https://no-color.org);
        ``COLUMNS`` sets the width.
        """
        stream = sys.stdout if stream is None else stream
        environ = os.environ if environ is None else environ
        live = stream.isatty() and environ.get("TERM") != "dumb"
        colour = (live or bool(environ.get("FORCE_COLOR"))) and not environ.get("NO_COLOR")
        width = int(c) if (c := environ.get("COLUMNS", "")).isdecimal() else 0
        if not width:
            width = shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns if live else _PIPE_WIDTH
        unicode = (getattr(stream, "encoding", "") or "").lower().startswith("utf")
        return cls(width=max(width, _NARROWEST), colour=colour, ascii_only=not unicode)

    def render(self, report: Report) -> str:
        """Return the report as lines of at most ``width`` columns."""
        buffer = io.StringIO()
        console = Console(
            file=buffer,
            width=self.width,
            force_terminal=self.colour,
            color_system="standard" if self.colour else None,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=False,
        )
        for part in _parts(report, ascii_only=self.ascii_only):
            console.print(part)
        lines = (line.rstrip() for line in buffer.getvalue().splitlines())
        text = defuse("\n".join(lines).strip("\n") + "\n")
        return text.encode("ascii", "backslashreplace").decode() if self.ascii_only else text


def _parts(report: Report, *, ascii_only: bool) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(one_line(report.title), style="bold")]
    parts.extend(Text(one_line(line)) for line in report.summary)
    if report.findings:
        parts.append(Text(""))
        parts.extend(_finding(finding) for finding in report.ordered())
        parts.extend((Text(""), Text(report.counts(), style="bold")))
    for section in report.sections:
        parts.append(Text(""))
        parts.extend(_section(section, ascii_only=ascii_only))
    return parts


def _finding(finding: Finding) -> RenderableType:
    head = Text.assemble(
        (str(finding.level), _STYLES[finding.level]),
        "  ",
        (one_line(finding.place), "bold"),
        "  " if finding.place else "",
        (f"[{one_line(finding.rule)}]", "dim"),
    )
    body: list[RenderableType] = [Padding(Text(_prose(finding.message)), (0, 0, 0, 4))]
    if finding.help:
        body.append(Padding(Text(_prose(finding.help), style="dim"), (0, 0, 0, 4)))
    return Group(head, *body)


def _prose(text: str) -> str:
    return cut(clean(text).strip().replace("\t", "    "), _MESSAGE)


def _section(section: Section, *, ascii_only: bool) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(one_line(section.title), style="bold underline")]
    parts.extend(Text(_prose(line)) for line in section.lines)
    if section.table is not None and section.table.rows:
        parts.append(_grid(section.table, ascii_only=ascii_only))
    if section.code:
        code = cut(clean(section.code).rstrip("\n"), _CODE).expandtabs(4)
        parts.append(Padding(Text(code), (0, 0, 0, 4)))
    return parts


def _grid(table: Table, *, ascii_only: bool) -> Grid:
    grid = Grid(box=box.ASCII2 if ascii_only else box.SIMPLE_HEAD, pad_edge=False)
    for name in table.columns:
        grid.add_column(Text(one_line(name)), overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(cut(one_line(cell), _MESSAGE)) for cell in row))
    return grid
