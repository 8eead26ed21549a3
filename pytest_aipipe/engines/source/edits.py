"""Small edits of a test's syntax tree: one literal, one argument, one call, one statement."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.mined import around, pieces, unique
from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.engines.analysis.module import FunctionNode

T = TypeVar("T")
_LONG_TEXT = 2000
_LONG_TOKEN = 40
_SHORT_TOKEN = 3  # short enough to stand inside a word
_AGAIN = 3


@dataclass(frozen=True, slots=True)
class Edit:
    """An edited function and what was done, in words."""

    function: FunctionNode
    what: str


@dataclass(frozen=True, slots=True)
class Pool:
    """What edits draw from: ``names`` are those of the gap, ``keywords`` what its calls accept."""

    names: tuple[str, ...]
    literals: tuple[str, ...]
    near: tuple[str, ...]
    keywords: tuple[tuple[str, tuple[str, ...]], ...] = ()
    methods: tuple[str, ...] = ()
    appended: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def called(node: ast.Call) -> str:
    """Return the last part of what a call calls."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def parse(expr: str) -> ast.expr | None:
    """Parse an expression, or return None."""
    try:
        return syntax.parse(expr, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def replaced(function: FunctionNode, index: int, new: ast.AST) -> FunctionNode:
    """Return a copy with the ``index``-th node (in walk order) replaced."""
    made = clone(function)
    old = list(ast.walk(made))[index]
    for parent in ast.walk(made):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return made
            if isinstance(value, list):
                for i, item in enumerate(value):
                    if item is old:
                        value[i] = new
                        return made
    return made


def sites(function: FunctionNode, pool: Pool) -> list[int]:
    """Return the places of literal values, those in calls of the gap's names first."""
    nodes = list(ast.walk(function))
    rank: dict[int, int] = {}
    position = {id(n): i for i, n in enumerate(nodes)}
    hidden: set[int] = set()
    for node in nodes:
        if isinstance(node, ast.JoinedStr | ast.FormattedValue):
            hidden.update(id(n) for n in ast.walk(node) if n is not node)
            hidden.add(id(node))
        if isinstance(node, ast.Assert):
            hidden.update(id(n) for n in ast.walk(node) if _expected(node, n))
        if isinstance(node, ast.Call):
            near = called(node) in pool.names
            for inner in (n for a in (*node.args, *node.keywords) for n in ast.walk(a)):
                rank[id(inner)] = min(rank.get(id(inner), 2), 0 if near else 1)
            if called(node) in {"parametrize", "raises", "skipif"}:
                hidden.update(id(n) for n in ast.walk(node))
        for decorator in getattr(node, "decorator_list", []):
            hidden.update(id(n) for n in ast.walk(decorator))
    found = [n for n in nodes if id(n) not in hidden and _literal(n)]
    found.sort(key=lambda n: rank.get(id(n), 2))
    return [position[id(n)] for n in found]


def _expected(node: ast.Assert, inner: ast.AST) -> bool:
    """Whether a node stands on the expected side of an assertion."""
    test = node.test
    if not isinstance(test, ast.Compare) or not any(
        isinstance(n, ast.Call) for n in ast.walk(test.left)
    ):
        return False
    return any(inner is n for c in test.comparators for n in ast.walk(c))


def _literal(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is not Ellipsis
    if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
        return not isinstance(getattr(node, "ctx", None), ast.Store)
    return isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)


def literal_edits(function: FunctionNode, pool: Pool, *, near: bool) -> Iterator[Edit]:
    """Yield the function with one literal replaced, by the guards' values or by neighbours."""
    nodes = list(ast.walk(function))
    plans: list[list[str]] = []
    places = sites(function, pool)
    for index in places:
        source = ast.unparse(nodes[index])
        options = list(pool.near) if near else around(source) + list(pool.literals)
        if near:
            alike = [o for o in options if _alike(o, source)]
            options = [*alike, *options]
        plans.append([o for o in unique(options) if o != source][:24])
    for turn in range(24):
        for index, options in zip(places, plans, strict=True):
            if turn < len(options):
                new = parse(options[turn])
                if new is not None:
                    yield Edit(replaced(function, index, new), f"{options[turn]}")


def _alike(a: str, b: str) -> bool:
    def kind(text: str) -> str:
        head = text.lstrip("-")[:1]
        return "text" if head in "'\"b" else "number" if head.isdigit() else head

    return kind(a) == kind(b)


def text_edits(function: FunctionNode, pool: Pool) -> Iterator[Edit]:
    """Yield the function with one piece of a text dropped, doubled, moved or put in."""
    nodes = list(ast.walk(function))
    texts = (x for x in (*pool.near, *pool.literals) if x[:1] in "'\"")
    tokens = [t for t in map(_text, texts) if t is not None and 0 < len(t) < _LONG_TOKEN]
    streams = []
    for index in sites(function, pool):
        node = nodes[index]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            streams.append(_text_variants(function, index, node.value, tokens, pool.lines))
    yield from in_turns(streams)


def shortest(sources: Sequence[str]) -> list[str]:
    """Return the short texts among literals, without those that hold another of them."""
    short = [t for t in map(_text, sources) if t is not None and 0 < len(t) <= _SHORT_TOKEN]
    return [t for t in short if not any(other != t and other in t for other in short)]


def _text(source: str) -> str | None:
    try:
        value = syntax.literal(source)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def _text_variants(
    function: FunctionNode, index: int, text: str, tokens: Sequence[str], lines: Sequence[str]
) -> Iterator[Edit]:
    def made(new: str) -> Edit:
        return Edit(replaced(function, index, ast.Constant(value=new)), repr(new)[:60])

    if len(text) > _LONG_TEXT:
        return
    variants: list[Iterator[str]] = []
    parts = text.splitlines(keepends=True)
    if len(parts) > 1:
        variants += [_dropped(parts), _doubled(parts), _moved(parts), _inserted(parts, lines)]
    words = pieces(text)
    variants += [
        _inserted(words, tokens[:12], cut=False),
        _dropped(words),
        _swapped(words, tokens[:12]),
    ]
    variants += [_doubled(words)]
    yield from (made(new) for new in unique(in_turns(variants)) if new != text)


def _dropped(parts: Sequence[str]) -> Iterator[str]:
    for i in range(len(parts) - 1, -1, -1):
        yield "".join((*parts[:i], *parts[i + 1 :]))


def _doubled(parts: Sequence[str]) -> Iterator[str]:
    for i in range(len(parts)):
        yield "".join((*parts, parts[i] if parts[i].endswith("\n") else parts[i] + "\n"))


def _moved(parts: Sequence[str]) -> Iterator[str]:
    for i in range(len(parts)):
        yield "".join((*parts[:i], *parts[i + 1 :], parts[i]))


def _inserted(parts: Sequence[str], tokens: Sequence[str], *, cut: bool = True) -> Iterator[str]:
    places = [len(parts), 0, *range(1, len(parts))][: 40 if cut else 30]
    for token in tokens:
        for place in places[:6] if cut else places:
            yield "".join((*parts[:place], token, *parts[place:]))


def _swapped(parts: Sequence[str], tokens: Sequence[str]) -> Iterator[str]:
    for token in tokens:
        for i in range(len(parts)):
            yield "".join((*parts[:i], token, *parts[i + 1 :]))


def keyword_edits(function: FunctionNode, pool: Pool) -> Iterator[Edit]:
    """Yield the function with one more keyword passed to a call that may accept it."""
    nodes = list(ast.walk(function))
    calls = [
        (called(n) not in pool.names, i) for i, n in enumerate(nodes) if isinstance(n, ast.Call)
    ]
    streams = [_keywords(function, nodes, index, pool) for _, index in sorted(calls)]
    yield from in_turns(streams)


def _keywords(
    function: FunctionNode, nodes: list[ast.AST], index: int, pool: Pool
) -> Iterator[Edit]:
    node = nodes[index]
    if not isinstance(node, ast.Call):
        return
    present = {k.arg for k in node.keywords}
    for turn in range(6):
        for name, values in pool.keywords:
            if turn < len(values) and (value := parse(values[turn])) is not None:
                new = clone(node)
                new.keywords = [k for k in new.keywords if k.arg != name]
                new.keywords.append(ast.keyword(arg=name, value=value))
                if name not in present or turn < _AGAIN:
                    yield Edit(replaced(function, index, new), f"{name}={values[turn]}")


def argument_edits(function: FunctionNode, pool: Pool) -> Iterator[Edit]:
    """Yield the function with an argument of a call of the gap's names replaced or dropped."""
    nodes = list(ast.walk(function))
    for index, node in enumerate(nodes):
        if not isinstance(node, ast.Call) or called(node) not in pool.names:
            continue
        for place in range(len(node.args)):
            for text in (*pool.near[:8], "None", "object()", "[]", "''"):
                new, value = clone(node), parse(text)
                if value is not None and not isinstance(node.args[place], ast.Starred):
                    new.args[place] = value
                    yield Edit(replaced(function, index, new), text)
        for place in range(len(node.keywords)):
            new = clone(node)
            del new.keywords[place]
            yield Edit(replaced(function, index, new), "without an argument")
        if node.args:
            new = clone(node)
            new.args.pop()
            yield Edit(replaced(function, index, new), "without an argument")


def append_edits(function: FunctionNode, pool: Pool) -> Iterator[Edit]:
    """Yield the function with a call of the gap's method on one of its objects put at the end."""
    seen: dict[str, None] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name | ast.Attribute):
            seen[ast.unparse(node)] = None
    objects = [
        text
        for text in seen
        if not text.startswith(("pytest", "self.assert")) and len(text) < _LONG_TOKEN
    ]
    objects.sort(key=lambda text: "." not in text)
    for template in pool.appended:
        for text in objects:
            try:
                new = syntax.parse(template.format(text)).body
            except SyntaxError:
                continue
            made = clone(function)
            made.body = [*made.body, *new]
            yield Edit(made, template.format("its object"))


def method_edits(function: FunctionNode, pool: Pool) -> Iterator[Edit]:
    """Yield the function with a method called in place of another on the same object."""
    for index, node in enumerate(ast.walk(function)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            for name in pool.methods:
                if node.attr != name:
                    new = ast.Attribute(value=clone(node.value), attr=name, ctx=ast.Load())
                    yield Edit(replaced(function, index, new), name)


def statement_edits(function: FunctionNode) -> Iterator[Edit]:
    """Yield the function with a statement dropped, doubled, or moved to the end."""
    blocks = [
        b for n in ast.walk(function) for b in [getattr(n, "body", None)] if isinstance(b, list)
    ]
    for number, block in enumerate(blocks):
        for place in range(len(block)):
            for how in ("without", "twice", "last"):
                made = clone(function)
                copies = [
                    b
                    for n in ast.walk(made)
                    for b in [getattr(n, "body", None)]
                    if isinstance(b, list)
                ]
                inner = copies[number]
                if how == "twice":
                    inner.insert(place, clone(inner[place]))
                elif len(inner) > 1:
                    moved = inner.pop(place)
                    if how == "last" and place < len(inner):
                        inner.append(moved)
                yield Edit(made, f"a statement {how}")


def in_turns(streams: Sequence[Iterator[T]]) -> Iterator[T]:
    """Yield from each stream in turn until all are spent."""
    waiting = list(streams)
    while waiting:
        left = []
        for stream in waiting:
            try:
                yield next(stream)
            except StopIteration:
                continue
            left.append(stream)
        waiting = left
