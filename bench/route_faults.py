"""Small faults in what a commit changed, for bench/route_replay.py."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from aipipe_core.change import Kind, read_change
from pytest_aipipe.mutate.make import make_mutants

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_aipipe.mutate.model import Mutant

TRIES = 4
"""Faults of a commit that are tried before it is said that none makes its suite fail."""


def faults_of(tree: Path, parent: str, commit: str) -> Iterator[tuple[str, Mutant]]:
    """Yield (file, mutant) of the functions that ``commit`` changed, in a random, fixed order."""
    found: list[tuple[str, Mutant]] = []
    for file in read_change(tree, f"{parent}..{commit}").files:
        path = tree / file.path
        if not file.path.endswith(".py") or file.kinds & {Kind.TESTS, Kind.DOCS}:
            continue
        if not path.is_file():
            continue
        lines = {
            line
            for symbol in file.symbols
            if symbol.kind.endswith("function")
            for line in range(symbol.start, symbol.end + 1)
        }
        source = path.read_text(encoding="utf-8")
        found += [(file.path, mutant) for mutant in make_mutants(source, frozenset(lines))]
    yield from random.Random(commit).sample(found, min(TRIES, len(found)))
