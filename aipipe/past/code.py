"""Which changed lines carry behaviour: no blank, comment, import, bracket or moved line."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe.past.origins import mark
from aipipe_core.change import Kind
from aipipe_core.change.kinds import kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aipipe.past.commit import FilePatch

_EMPTY = re.compile(
    rb"""\s*(?:$|\#|//|/\*|\*/|\*\s|--\s|<!--|;;|"{3}|'{3}"""
    rb"""|(?:import|from|use|package|\#include|using|require|require_once)\b[^=(]*;?\s*$"""
    rb"""|from\s[\w.]+\simport\b"""
    rb"""|[\[\](){},;:]+\s*$|(?:pass|else:|try:|finally:|end|begin|fi|done|esac)\s*$)"""
)
_BRANCH = re.compile(
    rb"\b(?:if|elif|for|while|except|catch|case|and|or|switch|match|select)\b|&&|\|\||\?"
)
_DEFINITION = re.compile(
    rb"\s*(?:async\s+def|def|class|func|function|fn|pub\s+fn|public|export)\s+(?:\([^)]*\)\s*)?(\w+)"
)
_PUBLIC_CONTEXT = 8
"""Spaces of indentation up to which a definition can be anybody's business."""


@lru_cache(maxsize=1 << 16)
def kinds(path: str) -> frozenset[Kind]:
    """Return the kinds that the path alone tells."""
    return kinds_of(path)


@lru_cache(maxsize=1 << 16)
def is_product_code(path: str) -> bool:
    """Whether the file is source that ships: neither test, nor documentation, nor generated."""
    found = kinds(path)
    if Kind.CODE not in found or found & {Kind.TESTS, Kind.DOCS, Kind.GENERATED}:
        return False
    first = PurePosixPath(path).parts[0].lower()
    return first not in ("examples", "example", "benchmarks", "bench", "vendor", "third_party")


def carries(line: bytes) -> bool:
    """Whether a changed line can change what the program does."""
    return _EMPTY.match(line) is None


def branches(line: bytes) -> int:
    """Return how many decisions the line makes, as McCabe counts them."""
    return len(_BRANCH.findall(line))


def public_name(line: bytes) -> bytes:
    """Return the name that the line defines for others to use; empty where it does not."""
    match = _DEFINITION.match(line)
    if not match or match[1].startswith(b"_"):
        return b""
    return match[1] if len(line) - len(line.lstrip()) <= _PUBLIC_CONTEXT else b""


def moved_marks(files: Iterable[FilePatch]) -> frozenset[int]:
    """Return the marks that are both removed and added: moved or re-indented lines."""
    removed: set[int] = set()
    added: set[int] = set()
    for file in files:
        for hunk in file.hunks:
            removed.update(map(mark, hunk.removed))
            added.update(map(mark, hunk.added))
    return frozenset(removed & added)
