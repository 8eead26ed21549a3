"""Make the mutants of the changed lines: find, edit, compile, set aside, cap."""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from itertools import zip_longest
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.mutate.equivalent import SAME_BYTECODE, proof, same_code
from pytest_aipipe.mutate.expressions import expression_edits
from pytest_aipipe.mutate.model import Equivalent, Mutant, Survey
from pytest_aipipe.mutate.skips import is_logging, kept_children
from pytest_aipipe.mutate.statements import statement_edits
from pytest_aipipe.mutate.text import Edit, Text

if TYPE_CHECKING:
    import types
    from collections.abc import Iterator, Sequence

_SHOWN = 100
_FIRST = (
    "condition", "comparison", "boundary", "return", "statement", "arithmetic", "boolean",
    "exception", "constant", "not", "assignment", "bitwise", "slice", "loop", "argument", "string",
)  # fmt: skip
"""Where a line has too many mutants, these kinds come first: the sooner, the harder to miss."""

Chain = tuple[ast.AST, ...]


def make_mutants(
    source: str, lines: frozenset[int], *, per_line: int = 6, total: int = 200
) -> list[Mutant]:
    """Return the mutants of ``lines``, ordered by line; the same for the same arguments.

    Source that does not parse has none.
    """
    return list(survey(source, lines, per_line=per_line, total=total).mutants)


def survey(source: str, lines: frozenset[int], *, per_line: int = 6, total: int = 200) -> Survey:
    """As :func:`make_mutants`, and the equivalent mutants that were set aside, with reasons.

    Of a line, at most ``per_line`` mutants are kept, of as many kinds as there are; of all
    lines at most ``total``, spread evenly over the lines.
    """
    text = Text(source)
    if not lines or _compiled(source) is None:
        return Survey((), ())
    by_line: dict[int, list[Mutant]] = defaultdict(list)
    aside: list[Equivalent] = []
    seen: dict[ast.AST, list[types.CodeType]] = defaultdict(list)
    segments = _Segments(text)
    for edit, chain in _edits(syntax.parse(source), text, lines):
        mutated = text.apply(edit)
        original, code = segments.compiled(chain[1], mutated)
        if code is None or mutated.count("\n") != source.count("\n"):
            continue
        mutant = _mutant(edit, chain, text, mutated)
        same = original is not None and same_code(original, code)
        reason = SAME_BYTECODE if same else proof(edit, chain, text, mutated)
        if reason:
            aside.append(Equivalent(mutant, reason))
        elif not any(same_code(other, code) for other in seen[chain[1]][-12:]):
            seen[chain[1]].append(code)
            by_line[mutant.line].append(mutant)
    kept = [_varied(by_line[line], per_line) for line in sorted(by_line)]
    spread = [m for row in zip_longest(*kept) for m in row if m is not None][:total]
    return Survey(tuple(sorted(spread, key=lambda m: m.line)), tuple(aside))


def _compiled(source: str) -> types.CodeType | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mutant may well say `1 is None`
        try:
            return compile(source, "<mutant>", "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError, RecursionError):
            return None


class _Segments:
    """Compiles the outermost statement around an edit, alone: modules may be long."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.known: dict[int, types.CodeType | None] = {}

    def compiled(
        self, outer: ast.AST, mutated: str
    ) -> tuple[types.CodeType | None, types.CodeType | None]:
        """Return ``outer`` compiled before and in ``mutated``; None: it does not compile."""
        if not isinstance(outer, ast.stmt):
            return None, None
        start = min([outer.lineno, *(d.lineno for d in getattr(outer, "decorator_list", ()))])
        first = self.text.offset(start, 0)
        last = self.text.span(outer)[1]
        if start not in self.known:
            self.known[start] = _compiled(self.text.source[first:last])
        grown = len(mutated) - len(self.text.source)
        return self.known[start], _compiled(mutated[first : last + grown])


def _edits(tree: ast.Module, text: Text, lines: frozenset[int]) -> Iterator[tuple[Edit, Chain]]:
    """Every edit that begins on one of ``lines``, with the nodes around it."""
    stack: list[tuple[ast.AST, Chain]] = [(tree, (tree,))]
    while stack:
        node, chain = stack.pop()
        if isinstance(node, ast.expr):
            found = _tolerant(expression_edits(node, text))
        elif isinstance(node, ast.stmt | ast.excepthandler):
            found = _tolerant(statement_edits(node, text))
        elif isinstance(node, ast.comprehension):
            found = _tolerant(_filters(node, text))
        else:
            found = []
        for edit in found:
            if text.line_at(edit.start) in lines:
                yield edit, chain
        if isinstance(node, ast.Call) and is_logging(node):
            continue
        children = list(kept_children(node, text.lines))
        stack.extend((child, (*chain, child)) for child in reversed(children))


def _filters(node: ast.comprehension, text: Text) -> Iterator[Edit]:
    for test in node.ifs:
        yield from (e for e in statement_edits(ast.Assert(test=test), text))


def _tolerant(edits: Iterator[Edit]) -> list[Edit]:
    """Return what ``edits`` gives; none for a node whose place in the text is not known."""
    try:
        return list(edits)
    except (IndexError, AttributeError):
        return []


def _mutant(edit: Edit, chain: Chain, text: Text, mutated: str) -> Mutant:
    start, end = edit.shown or (edit.start, edit.end)
    grown = end + len(mutated) - len(text.source)
    first, last = _statement_lines(chain, text.line_at(edit.start))
    return Mutant(
        line=text.line_at(edit.start),
        operator=edit.operator,
        before=_short(text.source[start:end]),
        after=_short(mutated[start:grown]),
        source=mutated,
        first=first,
        last=last,
    )


def _statement_lines(chain: Chain, line: int) -> tuple[int, int]:
    """First and last line of the innermost statement; of a compound one only its header."""
    held = (ast.stmt, ast.excepthandler, ast.match_case)
    node = next((n for n in reversed(chain) if isinstance(n, held)), None)
    if node is None or isinstance(node, ast.match_case):
        return line, line
    body = getattr(node, "body", None)
    last = node.end_lineno or node.lineno
    if isinstance(body, list) and body:
        last = max(node.lineno, body[0].lineno - 1)
    return min(node.lineno, line), max(last, line) if not body else max(last, node.lineno)


def _short(shown: str) -> str:
    flat = " ".join(shown.split())
    return flat if len(flat) <= _SHOWN else f"{flat[: _SHOWN - 1]}…"


def _varied(mutants: Sequence[Mutant], limit: int) -> list[Mutant]:
    """At most ``limit`` of one line's mutants, one of each kind before a second of any."""
    kinds: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        kinds[mutant.operator].append(mutant)
    ordered = sorted(kinds, key=lambda k: _FIRST.index(k) if k in _FIRST else len(_FIRST))
    rounds = zip_longest(*(kinds[kind] for kind in ordered))
    return [m for row in rounds for m in row if m is not None][:limit]
