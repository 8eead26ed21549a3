"""Candidates that came near, kept as starting points for edits."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.source.arguments import fix_imports
from pytest_aipipe.engines.source.writer import prelude_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.analysis.module import FunctionNode
    from pytest_aipipe.engines.source.edits import Edit
    from pytest_aipipe.engines.source.existing import Taken
    from pytest_aipipe.generate.model import Candidate, Outcome

_MOST = 60


@dataclass(eq=False)
class Seed:
    """A candidate with its syntax tree; ``taken`` where it is a copy of an existing test."""

    candidate: Candidate
    function: FunctionNode
    taken: Taken | None
    score: float = 0.0
    outcome: Outcome | None = None
    uses: int = 0
    edits: Iterator[Edit] | None = None

    def edited(self, edit: Edit, technique: str) -> Candidate | None:
        """Return the candidate that an edit of this seed makes, or None where it is invalid."""
        try:
            if self.taken is not None:
                source = self.taken.render(edit.function)
                prelude = self.taken.prelude(edit.function)
            else:
                source = ast.unparse(ast.fix_missing_locations(edit.function)) + "\n"
                prelude = self.candidate.prelude
            syntax.parse(source)
        except (SyntaxError, ValueError, RecursionError, TypeError):
            return None
        prelude = prelude_of((*prelude, *missing_imports(source, prelude)))
        name = self.candidate.name
        if self.taken is not None:
            name = self.taken.name(edit.function)
        elif edit.function.name != self.function.name:
            name = edit.function.name
        return replace(
            self.candidate, technique=technique, name=name, function=source, prelude=prelude,
            note=edit.what,
        )  # fmt: skip


def missing_imports(source: str, prelude: tuple[str, ...]) -> tuple[str, ...]:
    """Return imports for well-known names that an edit brought in."""
    text = "\n".join(prelude)
    return tuple(s for s in fix_imports(source) if not _bound(s.rsplit(" ", 1)[-1], text, source))


def _bound(name: str, prelude: str, source: str) -> bool:
    return f"import {name}" in prelude or f"{name} =" in source or f"def {name}" in prelude


def seed_of(candidate: Candidate, taken: Taken | None = None) -> Seed | None:
    """Parse a candidate into a seed; None for a class that nothing tells how to write again."""
    try:
        tree = syntax.parse(candidate.function)
    except SyntaxError:
        return None
    if taken is None and any(isinstance(node, ast.ClassDef) for node in tree.body):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test"
        ):
            return Seed(candidate, node, taken)
    return None


@dataclass(eq=False)
class Seeds:
    """The seeds of one gap. ``signatures`` are the paths through the target that were seen."""

    kept: list[Seed] = field(default_factory=list)
    signatures: set[frozenset[int]] = field(default_factory=set)

    def offer(self, seed: Seed, score: float, path: frozenset[int]) -> bool:
        """Keep ``seed`` when it came nearest so far or took a path nobody took."""
        best = max((s.score for s in self.kept), default=-1.0)
        new = path not in self.signatures
        if score <= 0 or (not new and score <= best):
            return False
        self.signatures.add(path)
        seed.score = score
        self.kept.append(seed)
        self.kept.sort(key=lambda s: -s.score)
        del self.kept[_MOST:]
        return True

    def next(self) -> Seed | None:
        """Return the seed to work on: near, small, and not used too often."""
        if not self.kept:
            return None
        return max(self.kept, key=lambda s: s.score - 0.04 * s.uses)
