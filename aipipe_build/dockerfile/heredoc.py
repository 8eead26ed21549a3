"""Here-documents: which words of a line begin one."""

from __future__ import annotations

import re

from aipipe_build.dockerfile.expand import Expander, ExpansionError
from aipipe_build.dockerfile.model import Heredoc

_START = re.compile(r"^(\d*)<<(-?)([^<]*)$")
_LINE = Expander(raw_quotes=True, raw_escapes=True, skip_unset=True)
_PLAIN = Expander(skip_unset=True)
_QUOTED = Expander(raw_quotes=True, skip_unset=True)


def parse_heredoc(word: str) -> Heredoc | None:
    """Return the here-document that ``word`` begins, without its content."""
    found = _START.match(word)
    if not found or not found[3]:
        return None
    try:
        plain = _PLAIN.words(found[3], {})
        quoted = _QUOTED.words(found[3], {})
    except ExpansionError:
        return None
    if len(plain) != 1 or len(quoted) != 1:
        return None
    # A quote anywhere in the word means that the content is taken as it stands.
    expand = _quotes(plain[0]) == _quotes(quoted[0])
    return Heredoc(name=plain[0], expand=expand, chomp=found[2] == "-")


def heredocs_in(line: str) -> list[Heredoc]:
    """Return the here-documents that a logical line announces, in order."""
    try:
        words = _LINE.words(line, {})
    except ExpansionError:
        return []
    return [doc for doc in map(parse_heredoc, words) if doc]


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')
