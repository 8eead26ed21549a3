"""Whether a name may come out of the texts of a project: whole, or put together from parts.

An attribute that is looked up by a computed name has that name from somewhere: from a text
that says it, in its own spelling or another one (``"get-level"``, ``"GetLevel"``), or from
parts of it (``f"get_{what}"``, ``"_".join(...)``). Otherwise it is found by looking through the
object.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from aipipe_core.change.symbols import UnreadableSourceError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_BEFORE, _AFTER = rb"(?:[\"'}]|%[a-z])", rb"(?=[\"'{%])"
_JOINS = re.compile(
    rb"[\"']_[\"']\s*(?:\.join|\+)|\+\s*[\"']_[\"']|\}_\{|%[a-z]_%"  # what a "_" is put between
)


def may_be_spelled(name: str, sources: Iterable[bytes]) -> bool:
    """Return whether code in ``sources`` may put ``name`` together; ``name`` is an identifier."""
    words = [word.lower() for word in _WORD.findall(name)] or [name.lower()]
    said = rb"[-_. ]?".join(re.escape(word.encode()) for word in words)
    whole = re.compile(rb"(?<![A-Za-z0-9])" + said + rb"(?![A-Za-z0-9])", re.IGNORECASE)
    parts = _among([*_parts(name, words)])
    joined = _among([words[0], words[-1]]) if "_" in name.strip("_") else None
    joins = joinable = False
    for source in sources:
        if parts and parts.search(source):
            return True
        if whole.search(source) and _is_told(whole, source):
            return True
        joins = joins or bool(joined and _JOINS.search(source))
        joinable = joinable or bool(joined and joined.search(source))
    return joins and joinable


def _parts(name: str, words: list[str]) -> Iterator[str]:
    """Yield what a text may say of ``name`` alone: what begins or ends it, or stands between."""
    if len(words) < 2:  # noqa: PLR2004
        return
    edge = "_" if "_" in name.strip("_") else ""
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            some = edge.join(words[start:end])
            if end - start == len(words):
                continue
            if not edge or end - start > 1:
                yield some
            if edge:
                yield from (f"{edge}{some}", f"{some}{edge}", f"{edge}{some}{edge}")


def _among(texts: list[str]) -> re.Pattern[bytes] | None:
    if not texts:
        return None
    told = b"|".join(re.escape(one.encode()) for one in texts)
    return re.compile(_BEFORE + b"(?:" + told + b")" + _AFTER, re.IGNORECASE)


def _is_told(whole: re.Pattern[bytes], source: bytes) -> bool:
    """Whether a text that is no description has the name in it."""
    try:
        tree = parse(source)
    except UnreadableSourceError:
        return True
    described = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str | bytes)
        and id(node) not in described
        and whole.search(node.value.encode() if isinstance(node.value, str) else node.value)
        for node in ast.walk(tree)
    )
