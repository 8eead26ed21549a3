"""The functions, classes and module bodies of Python source, and which of them changed."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from bisect import bisect_left
from typing import TYPE_CHECKING

from aipipe_core import syntax
from aipipe_core.change.hunks import lines_of
from aipipe_core.change.model import Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MODULE = "<module>"

_KINDS: dict[type[ast.AST], str] = {
    ast.FunctionDef: "function",
    ast.AsyncFunctionDef: "async function",
    ast.ClassDef: "class",
}


class UnreadableSourceError(ValueError):
    """The source cannot be parsed; the message says why and in which line."""


def encoding_of(content: bytes) -> str:
    """Return the encoding that Python reads ``content`` with (PEP 263, BOM).

    Raises :class:`UnreadableSourceError` for an encoding that Python does not know.
    """
    try:
        return tokenize.detect_encoding(io.BytesIO(content).readline)[0]
    except SyntaxError as error:
        raise UnreadableSourceError(f"encoding: {error.msg}") from error


def text_of(content: bytes) -> str:
    r"""Return Python source as text, its lines ended with ``\n`` as the tokenizer does."""
    encoding = encoding_of(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableSourceError(f"encoding: {error}") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def symbols_of(content: bytes) -> list[Symbol]:
    """Return every symbol of Python source, outermost first, ``<module>`` at the front.

    Raises :class:`UnreadableSourceError` where Python itself would refuse the source.
    """
    tree = parse(content)
    count = len(lines_of(text_of(content)))
    return [Symbol(MODULE, "module", 1, max(count, 1)), *_definitions(tree, "")]


def parse(content: bytes) -> ast.Module:
    """Return the syntax tree of ``content``, or raise :class:`UnreadableSourceError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in somebody's string is not our news
            return syntax.parse(content)
    except SyntaxError as error:
        where = f" in line {error.lineno}" if error.lineno else ""
        raise UnreadableSourceError(f"syntax error{where}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableSourceError(f"cannot be parsed: {error}") from error


def _definitions(node: ast.AST, prefix: str) -> Iterator[Symbol]:
    """Yield the definitions below ``node``; a stack, since generated code nests deeply."""
    stack = [(child, prefix) for child in reversed(list(ast.iter_child_nodes(node)))]
    while stack:
        current, outer = stack.pop()
        if isinstance(current, ast.expr):
            continue  # holds no definition
        inner = outer
        if isinstance(current, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{outer}{current.name}"
            first = min([current.lineno, *(item.lineno for item in current.decorator_list)])
            yield Symbol(name, _KINDS[type(current)], first, current.end_lineno or first)
            inner = f"{name}."
        children = reversed(list(ast.iter_child_nodes(current)))
        stack.extend((child, inner) for child in children)


def holding(symbols: Sequence[Symbol], lines: Iterable[int]) -> set[Symbol]:
    """Return the symbols that hold one of ``lines``.

    ``<module>`` counts only for a line that stands outside every definition.
    """
    ordered = sorted(lines)
    found = {
        symbol
        for symbol in symbols
        if symbol.qualname != MODULE and _any_within(ordered, symbol.start, symbol.end)
    }
    module = next((symbol for symbol in symbols if symbol.qualname == MODULE), None)
    if module and _outside(symbols, ordered):
        found.add(module)
    return found


def _any_within(ordered: Sequence[int], start: int, end: int) -> bool:
    position = bisect_left(ordered, start)
    return position < len(ordered) and ordered[position] <= end


def _outside(symbols: Sequence[Symbol], ordered: Sequence[int]) -> bool:
    """Whether a line is left when those of the outermost definitions are taken away."""
    reach = 0
    covered = 0
    for symbol in sorted(symbols, key=lambda item: item.start):
        if symbol.qualname == MODULE or symbol.end <= reach:
            continue
        start = max(symbol.start, reach + 1)
        covered += bisect_left(ordered, symbol.end + 1) - bisect_left(ordered, start)
        reach = symbol.end
    return covered < len(ordered)


def innermost_first(symbols: Iterable[Symbol]) -> tuple[Symbol, ...]:
    """Return ``symbols`` by depth, the deepest first, then by line."""

    def depth(symbol: Symbol) -> int:
        return 0 if symbol.qualname == MODULE else symbol.qualname.count(".") + 1

    return tuple(sorted(symbols, key=lambda symbol: (-depth(symbol), symbol.start)))
