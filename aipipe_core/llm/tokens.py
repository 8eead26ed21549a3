"""A bound on tokens that needs no download: what a text takes at most, near enough.

Byte-pair tokenizers of the last years split a text by a pattern (words with the blank before
them, up to three digits, runs of signs, runs of blanks) and then merge within each part. So a
part's bytes bound its tokens from above, and common words take one or two. The estimate below
stays above what such tokenizers count for code and prose; :func:`hard_bound` always does.
"""

from __future__ import annotations

import re

_PART = re.compile(r" ?[^\W\d_]+|\d+|_+|\n+|[ \t]+|[^\w\s]+|\s|.", re.DOTALL)
_SHORT = 4  # letters that are one token nearly always
_OVERHEAD = 4  # tokens that a message takes beside its text


def bound(text: str) -> int:
    """Return how many tokens ``text`` takes at most, for ordinary code and prose."""
    return sum(_part(part) for part in _PART.findall(text))


def hard_bound(text: str) -> int:
    """Return a number of tokens that no byte-level tokenizer exceeds: one for each byte."""
    return len(text.encode("utf-8", "surrogatepass"))


def bound_of(texts: list[str]) -> int:
    """Return the bound for the messages of a conversation."""
    return sum(bound(text) + _OVERHEAD for text in texts) + _OVERHEAD


def _part(part: str) -> int:
    if not part.isascii():
        return len(part.encode("utf-8", "surrogatepass"))
    bare = part.strip(" ")
    if part.isspace():
        return 1 + len(part) // 16
    if bare.isalpha():
        return 1 if len(bare) <= _SHORT else -(-len(bare) // _SHORT)
    if bare.isdigit():
        return -(-len(bare) // 3)
    return -(-len(part) // 2) if len(set(part)) > 1 else 1 + len(part) // 8
