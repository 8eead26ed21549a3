"""The report as GitHub-flavoured Markdown, cut at a section's edge where space is limited."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from aipipe_core.findings.model import Level
from aipipe_core.findings.text import clean, cut, one_line

if TYPE_CHECKING:
    from aipipe_core.findings.model import Finding, Report, Section, Table

COMMENT_LIMIT = 65_536
"""Characters of a comment on GitHub."""

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MENTION = re.compile(r"@(?=\w)")
_MARKS = {Level.ERROR: "❌", Level.WARNING: "⚠️", Level.NOTE: "ℹ️"}  # noqa: RUF001
_MESSAGE = 2_000
_CODE = 20_000
_ROWS = 200


class Block(NamedTuple):
    """A piece that is shown whole or not at all."""

    text: str
    kind: str  # "head", "finding", "section"


@dataclass(frozen=True, slots=True)
class Markdown:
    """Renders within ``limit`` units of UTF-8 bytes or characters; 0 for no limit."""

    limit: int = 0
    in_bytes: bool = False

    def render(self, report: Report) -> str:
        """Return Markdown; where something did not fit, the end says what."""
        blocks = list(_blocks(report))
        text = _join(blocks)
        if not self.limit or self._size(text) <= self.limit:
            return text
        shown = list(blocks)
        # Reserved for the longest notice that there can be.
        space = self.limit - self._size("\n\n" + _notice(blocks, self._limit_text()))
        while shown and self._size(_join(shown)) > space:
            over = self._size(_join(shown)) - space
            while shown and over > 0:
                over -= self._size(shown.pop().text) + 2
        if shown and shown[-1].text.startswith("## "):
            shown.pop()  # a heading with nothing below it
        return _join([*shown, Block(_notice(blocks[len(shown) :], self._limit_text()), "head")])

    def _size(self, text: str) -> int:
        return len(text.encode()) if self.in_bytes else len(text)

    def _limit_text(self) -> str:
        return f"{self.limit:,} {'bytes' if self.in_bytes else 'characters'}"


@dataclass(frozen=True, slots=True)
class Comment:
    """Renders Markdown that fits a comment on a pull request."""

    limit: int = COMMENT_LIMIT

    def render(self, report: Report) -> str:
        """Return Markdown of at most ``limit`` characters."""
        return Markdown(limit=self.limit).render(report)


def _join(blocks: list[Block]) -> str:
    return "\n\n".join(block.text for block in blocks) + "\n"


def _notice(missing: list[Block], limit: str) -> str:
    findings = sum(block.kind == "finding" for block in missing)
    sections = sum(block.kind == "section" for block in missing)
    said = [f"{findings:,} findings"] if findings else []
    said += [f"{sections:,} sections"] if sections else []
    what = " and ".join(said) or "the rest"
    return f"**Cut:** {what} did not fit into {limit}. The JSON report holds everything."


def _blocks(report: Report) -> list[Block]:
    blocks = [Block(f"# {escape(one_line(report.title))}", "head")]
    blocks.extend(Block(escape(cut(one_line(line), _MESSAGE)), "head") for line in report.summary)
    if report.findings:
        blocks.append(Block(f"## Findings: {report.counts()}", "head"))
        blocks.extend(Block(_finding(finding), "finding") for finding in report.ordered())
    blocks.extend(Block(_section(section), "section") for section in report.sections)
    return blocks


def _finding(finding: Finding) -> str:
    place = f" {code_span(finding.place)}" if finding.place else ""
    mark, level = _MARKS[finding.level], str(finding.level)
    text = escape(cut(one_line(finding.message), _MESSAGE))
    lines = [f"- {mark} **{level}**{place} {text} ({code_span(finding.rule)})"]
    if finding.help:
        lines.append(f"  <br>{escape(cut(one_line(finding.help), _MESSAGE))}")
    return "\n".join(lines)


def _section(section: Section) -> str:
    parts = [f"## {escape(one_line(section.title))}"]
    parts.extend(escape(cut(one_line(line), _MESSAGE)) for line in section.lines)
    if section.table is not None and section.table.rows:
        parts.append(_table(section.table))
    if section.code:
        parts.append(_fenced(section.code, section.language))
    return "\n\n".join(parts)


def _table(table: Table) -> str:
    rows = [table.columns, *table.rows[:_ROWS]]
    lines = [
        "| " + " | ".join(escape(cut(one_line(cell), _MESSAGE)) or " " for cell in row) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + " --- |" * len(table.columns))
    more = len(table.rows) - _ROWS
    return "\n".join(lines) + (f"\n\n… and {more:,} rows more" if more > 0 else "")


def _fenced(code: str, language: str) -> str:
    body = cut(clean(code).rstrip("\n"), _CODE)
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    name = language if language.isalnum() else ""
    return f"{fence}{name}\n{body}\n{fence}"


def code_span(text: str) -> str:
    """Return ``text`` as a code span that nothing in it can end."""
    body = cut(one_line(text), _MESSAGE).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if "`" in body[:1] + body[-1:] else ""
    return f"{ticks}{pad}{body}{pad}{ticks}" if body else ""


def escape(text: str) -> str:
    """Return ``text`` as Markdown that shows exactly it: no markup, no HTML, nobody mentioned."""
    text = "".join(_ENTITIES.get(char, char) for char in text)
    text = _PUNCTUATION.sub(r"\\\1", text)
    # An empty comment breaks a mention and stays invisible.
    return _MENTION.sub("@<!-- -->", text)
