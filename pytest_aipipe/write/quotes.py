"""Which quotes a project writes, and text with its string literals in these."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOUBLE, SINGLE = '"', "'"
_Place = tuple[int, int]


def preferred(sources: Iterable[str]) -> str:
    """Return the quote that most plain string literals of ``sources`` have; double if none do."""
    counts = {DOUBLE: 0, SINGLE: 0}
    for source in sources:
        for start, end, text in _literals(source):
            del start, end
            quote = text.lstrip("rRbBuUfF")[0]
            other = SINGLE if quote == DOUBLE else DOUBLE
            if other not in text and not _is_triple(text):
                counts[quote] += 1
    return SINGLE if counts[SINGLE] > counts[DOUBLE] else DOUBLE


def requoted(source: str, quote: str) -> str:
    """Return ``source`` with its string literals in ``quote``, where that needs no escape."""
    other = SINGLE if quote == DOUBLE else DOUBLE
    lines = source.splitlines(keepends=True)
    for (row, first), (end_row, end), text in reversed(list(_literals(source))):
        body = text.lstrip("rRbBuUfF")
        if not body.startswith(other) or _is_triple(text) or quote in text or "\\" in text:
            continue
        if row != end_row:
            continue
        prefix = text[: len(text) - len(body)]
        line = lines[row - 1]
        lines[row - 1] = f"{line[:first]}{prefix}{quote}{body[1:-1]}{quote}{line[end:]}"
    changed = "".join(lines)
    try:
        same = ast.dump(syntax.parse(changed)) == ast.dump(syntax.parse(source))
    except (SyntaxError, ValueError):
        return source
    return changed if same else source


def _is_triple(text: str) -> bool:
    return text.endswith((DOUBLE * 3, SINGLE * 3)) and len(text.lstrip("rRbBuUfF")) >= 6  # noqa: PLR2004


def _literals(source: str) -> Iterator[tuple[_Place, _Place, str]]:
    """Yield where each literal stands, and its text; a formatted string is one literal."""
    begins = getattr(tokenize, "FSTRING_START", -1)
    ends = getattr(tokenize, "FSTRING_END", -1)
    lines = source.splitlines(keepends=True)
    open_at: list[_Place] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == begins:
                open_at.append(token.start)
            elif token.type == ends:
                start = open_at.pop()
                if not open_at and start[0] == token.end[0]:
                    text = lines[start[0] - 1][start[1] : token.end[1]]
                    yield start, token.end, text
            elif token.type == tokenize.STRING and not open_at:
                yield token.start, token.end, token.string
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return
