"""Edits of a test that may bring out a difference, the likeliest kinds in turn."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_aipipe.compare.words import word_edits
from pytest_aipipe.engines.source.edits import (
    Edit,
    Pool,
    argument_edits,
    in_turns,
    keyword_edits,
    literal_edits,
    method_edits,
    parse,
    replaced,
    sites,
    statement_edits,
    text_edits,
)
from pytest_aipipe.explore.trees import clone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.engines.analysis.module import FunctionNode

HELD = "argument"
"""The name under which a test holds what it passes; differences of it are the argument's."""
_LONG = 120
_REPEATS = (101, 12)


def varied(
    function: FunctionNode,
    pools: Sequence[Pool],
    forms: Sequence[str],
    words: Sequence[str] = (),
    attributes: Sequence[str] = (),
) -> Iterator[Edit]:
    """Yield edited forms of ``function``, drawing on what base and head have in common or not.

    ``forms`` are ways to look at an object, as :func:`pytest_aipipe.compare.looks.looks`
    gives them, ``words`` what its texts may speak of, ``attributes`` what the changed code
    binds.
    """
    streams: list[Iterator[Edit]] = []
    for pool in pools:
        streams += [
            literal_edits(function, pool, near=True),
            keyword_edits(function, pool),
            text_edits(function, pool),
            argument_edits(function, pool),
            method_edits(function, pool),
            member_edits(function, pool),
        ]
    pool = pools[0]
    streams += [
        held_arguments(function),
        follow_ups(function, forms),
        attribute_reads(function, attributes),
        container_edits(function, pool),
        truncations(function, pool),
        literal_edits(function, pool, near=False),
        statement_edits(function),
        class_reads(function),
        removals_before(function),
    ]
    rest = in_turns(streams)
    # A word of the code's own language is the likeliest, where there is a text to put it in.
    spoken = word_edits(function, pools[0], words)
    yield from in_turns([spoken, spoken, rest])


def container_edits(function: FunctionNode, pool: Pool) -> Iterator[Edit]:
    """Yield the function with a display emptied, shortened, or holding None or a list."""
    nodes = list(ast.walk(function))
    for turn in range(6):
        for index in sites(function, pool):
            node = nodes[index]
            if isinstance(node, ast.List | ast.Tuple | ast.Set):
                new = _contained(node, turn)
                if new is not None:
                    yield Edit(replaced(function, index, new), ast.unparse(new)[:60])
            elif isinstance(node, ast.Dict) and node.values and turn < len(node.values):
                changed = clone(node)
                changed.values[turn] = ast.Constant(999)
                yield Edit(replaced(function, index, changed), ast.unparse(changed)[:60])


def member_edits(function: FunctionNode, pool: Pool) -> Iterator[Edit]:
    """Yield the function with one more member in a list: as in a command line, a row, a batch."""
    nodes = list(ast.walk(function))
    lists = [i for i in sites(function, pool) if isinstance(nodes[i], ast.List)]
    for text in (*pool.near, *pool.literals):
        member = parse(text)
        if not isinstance(member, ast.Constant):
            continue
        for index in lists:
            old = nodes[index]
            count = len(old.elts) if isinstance(old, ast.List) else 0
            for place in dict.fromkeys((count, 0)):
                made = clone(old)
                if isinstance(made, ast.List):
                    made.elts.insert(place, member)
                    yield Edit(replaced(function, index, made), ast.unparse(made)[:60])


def held_arguments(function: FunctionNode) -> Iterator[Edit]:
    """Yield the function with a list, dict or set that it passes held, to see its end."""
    for place, statement in enumerate(function.body):
        if isinstance(statement, ast.With | ast.For | ast.While | ast.If | ast.Try):
            continue
        calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
        for index, call in enumerate(calls):
            for number, argument in enumerate(call.args):
                if isinstance(argument, ast.List | ast.Dict | ast.Set):
                    made = clone(function)
                    again = [n for n in ast.walk(made.body[place]) if isinstance(n, ast.Call)]
                    again[index].args[number] = ast.Name(HELD, ast.Load())
                    held = ast.Assign([ast.Name(HELD, ast.Store())], clone(argument))
                    made.body.insert(place, held)
                    yield Edit(ast.fix_missing_locations(made), "an argument held")


def attribute_reads(function: FunctionNode, names: Sequence[str]) -> Iterator[Edit]:
    """Yield the function with an attribute read of one of its objects, or of their attributes."""
    objects = _objects(function)
    inner = [
        ast.unparse(node)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in objects
    ]
    for owner in dict.fromkeys([*inner, *objects]):
        for name in names:
            yield from _appended(function, f"{owner}.{name}")


def _contained(node: ast.List | ast.Tuple | ast.Set, turn: int) -> ast.expr | None:
    made = clone(node)
    if turn == 0:
        made.elts = []
        return None if isinstance(made, ast.Set) else made
    if turn == 1 and made.elts:
        made.elts[0] = ast.Constant(None)
        return made
    if turn == 2 and made.elts:  # noqa: PLR2004
        made.elts.pop()
        return made
    if turn == 3:  # noqa: PLR2004
        made.elts = [ast.List([], ast.Load())]
        return None if isinstance(made, ast.Set) else made
    if turn == 4 and made.elts:  # noqa: PLR2004
        made.elts.append(clone(made.elts[0]))
        return made
    if turn == 5 and len(made.elts) > 1:  # noqa: PLR2004
        made.elts.reverse()
        return made
    return None


def truncations(function: FunctionNode, pool: Pool) -> Iterator[Edit]:
    """Yield the function with a text cut short at a line or word, or made very long."""
    nodes = list(ast.walk(function))
    for index in sites(function, pool):
        node = nodes[index]
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        for new in _cut(node.value):
            yield Edit(replaced(function, index, ast.Constant(new)), f"{new[:40]!r}")
        if len(node.value) < _LONG:
            for times in _REPEATS:
                longer = ast.BinOp(ast.Constant(node.value), ast.Mult(), ast.Constant(times))
                yield Edit(replaced(function, index, longer), f"{times} times")


def _cut(text: str) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    for keep in range(len(lines) - 1, 0, -1):
        yield "".join(lines[:keep])
        yield "".join(lines[:keep]).rstrip("\n")
    for keep in range(1, len(lines)):
        yield "".join(lines[keep:])
    words = text.split(" ")
    for keep in range(1, min(len(words), 12)):
        yield " ".join(words[:keep])
        yield " ".join(words[keep:])


def follow_ups(function: FunctionNode, forms: Sequence[str]) -> Iterator[Edit]:
    """Yield the function with one of its objects looked at in one more way.

    In ``forms``, ``{}`` stands for the object, ``{other}`` for another one, and
    ``{attribute}`` for an attribute that the test reads.
    """
    objects = _objects(function)
    attributes = _attributes(function)
    for form in forms:
        for name in objects:
            others = objects if "{other}" in form else [""]
            wanted = attributes if "{attribute}" in form else [""]
            for other in others:
                for attribute in wanted:
                    text = form.replace("{}", name).replace("{other}", other)
                    yield from _appended(function, text.replace("{attribute}", attribute))


def _attributes(function: FunctionNode) -> list[str]:
    """Return the attributes that a test reads of its objects, nearest to the object first."""
    found = [
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    return list(dict.fromkeys(found))[:12]


def _objects(function: FunctionNode) -> list[str]:
    """Return the names that hold what a call gave."""
    found = []
    for node in function.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(n, ast.Call) for n in ast.walk(node.value)
        ):
            found += [t.id for t in node.targets if isinstance(t, ast.Name)]
    return list(dict.fromkeys(found))[:4]


def _appended(function: FunctionNode, expression: str) -> Iterator[Edit]:
    value = parse(expression)
    if value is None:
        return
    made = clone(function)
    made.body.append(ast.Assign([ast.Name("outcome", ast.Store())], value))
    yield Edit(ast.fix_missing_locations(made), f"then {expression}")


def class_reads(function: FunctionNode) -> Iterator[Edit]:
    """Yield the function with an attribute that it reads of an object read of its class."""
    seen: set[str] = set()
    for index, node in enumerate(ast.walk(function)):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if ast.unparse(node) in seen or not isinstance(node.ctx, ast.Load):
            continue
        seen.add(ast.unparse(node))
        kind = ast.Call(ast.Name("type", ast.Load()), [clone(node.value)], [])
        new = ast.Attribute(kind, node.attr, ast.Load())
        yield Edit(replaced(function, index, new), ast.unparse(new))
        yield from _appended(function, ast.unparse(new))


def removals_before(function: FunctionNode) -> Iterator[Edit]:
    """Yield the function with an element taken out of one of its objects before each use."""
    names = _objects(function)
    for name in names:
        for place in range(len(function.body), 0, -1):
            if _binds(function.body[:place], name):
                for call in (
                    f"{name}.pop()",
                    f"{name}.pop(0)",
                    f"{name}.pop(2)",
                    f"{name}.clear()",
                ):
                    value = parse(call)
                    if value is not None:
                        made = clone(function)
                        made.body.insert(place, ast.Expr(value))
                        yield Edit(ast.fix_missing_locations(made), call)


def _binds(statements: Sequence[ast.stmt], name: str) -> bool:
    return any(
        isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
        for statement in statements
        for n in ast.walk(statement)
    )
