"""Helpers and fixtures taken from the project's tests, as their author wrote them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Originals:
    """The module-level statements of some sources, found again by what they mean."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._written: dict[str, str] = {}
        for source in sources:
            try:
                tree = syntax.parse(source)
            except (SyntaxError, ValueError):
                continue
            lines = source.splitlines()
            for node in tree.body:
                if not isinstance(node, ast.Import | ast.ImportFrom):
                    self._written.setdefault(ast.unparse(node), _segment(lines, node))

    def of(self, statement: str) -> str:
        """Return ``statement`` with its author's comments, quotes and line breaks.

        One that no source holds, or that holds more than one statement, stays as it is.
        """
        try:
            (node,) = syntax.parse(statement).body
        except (SyntaxError, ValueError):
            return statement
        return self._written.get(ast.unparse(node), statement)

    def of_all(self, statements: Sequence[str]) -> tuple[str, ...]:
        """Return every statement as its author wrote it, where it is known."""
        return tuple(self.of(one) for one in statements)


def _segment(lines: Sequence[str], node: ast.stmt) -> str:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    while first > 1 and lines[first - 2].startswith("#") and not _is_coding(lines[first - 2]):
        first -= 1
    return "\n".join(lines[first - 1 : node.end_lineno])


def _is_coding(line: str) -> bool:
    return line.startswith("#!") or "coding" in line
