"""Calls of functions that another function makes: closures, decorators, factories."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TypeVar

from pytest_aipipe.engines.analysis.module import Definition
from pytest_aipipe.engines.analysis.solve import Answers
from pytest_aipipe.engines.situation import Situation
from pytest_aipipe.engines.source.edits import in_turns
from pytest_aipipe.engines.source.instances import import_of
from pytest_aipipe.engines.source.values import Value
from pytest_aipipe.engines.source.writer import Draft

T = TypeVar("T")
Rows = Callable[[Situation, Definition, Answers], Iterator[list[Value]]]
_FUNCTIONS = (
    "def func(*args, **kwargs):\n    return args, kwargs",
    "def func(*args, **kwargs):\n    raise ValueError('wrong')",
)
_OWNER = "class Owner:\n    pass\n\nowner = Owner()"


def nested_calls(
    situation: Situation, definition: Definition, solved: Answers, rows: Rows, failing: Rows
) -> Iterator[Draft]:
    """Yield calls of the function that makes ``definition``, and of what it gave back.

    ``rows`` are argument lists, ``failing`` such in which one argument fails when it is used.
    """
    chain: list[Definition] = []
    holder: Definition | None = definition
    while holder is not None and holder.binding == "nested":
        holder = holder.owner
        if holder is not None:
            chain.append(holder)
    outer = chain[-1] if chain else None
    if outer is None or outer.is_class or outer.binding != "function":
        return
    for row in _limited(rows(situation, outer, solved), 3):
        yield _together(situation, outer, _decorating(outer, row), len(chain))
    plain = (
        draft
        for text in _FUNCTIONS
        for row in _limited(rows(situation, outer, solved), 12)
        for draft in _made(situation, definition, outer, _decorating(outer, row), text, len(chain))
    )
    # What fails is told by the first calls of it.
    faulty = (
        draft
        for row in _limited(failing(situation, outer, solved), 60)
        for draft in _limited(
            _made(situation, definition, outer, _decorating(outer, row), _FUNCTIONS[0], len(chain)),
            2,
        )
    )
    yield from in_turns([plain, faulty])


def _together(situation: Situation, outer: Definition, row: list[Value], depth: int) -> Draft:
    """Call what was made from two threads at once: the way into a guard against a race."""
    draft = Draft(
        imports=(
            import_of(situation.module, outer),
            "import time",
            "from concurrent.futures import ThreadPoolExecutor",
        )
    ).then("def func(*args, **kwargs):\n    time.sleep(0.05)\n    return 'done'")
    for value in row:
        draft = draft.needing(value)
    draft = draft.then(f"made = {outer.name}({', '.join(v.expr for v in row)})")
    if depth > 1:
        draft = draft.then("made = made(func)")
    return draft.then(
        "with ThreadPoolExecutor(2) as pool:\n"
        "    running = [pool.submit(made) for _ in range(2)]\n"
        "    result = [call.result() for call in running]"
    )


def _limited(rows: Iterator[T], most: int) -> Iterator[T]:
    for number, row in enumerate(rows):
        if number >= most:
            return
        yield row


def _decorating(outer: Definition, row: list[Value]) -> list[Value]:
    """Pass ``func`` where the parameter's name says that a function is wanted."""
    names = {"func", "f", "fn", "function", "method", "wrapped", "callable", "callback"}
    required = [p for p in outer.parameters if p.kind in {"any", "positional"}]
    made = list(row)
    for place, parameter in enumerate(required):
        if (
            parameter.name in names
            and place < len(made)
            and "=" not in made[place].expr.split("(")[0]
        ):
            made[place] = Value("func")
    return made


def _made(
    situation: Situation,
    inner: Definition,
    outer: Definition,
    row: list[Value],
    text: str,
    depth: int,
) -> Iterator[Draft]:
    draft = Draft(imports=(import_of(situation.module, outer),)).then(text)
    for value in row:
        draft = draft.needing(value)
    draft = draft.then(f"made = {outer.name}({', '.join(v.expr for v in row)})")
    if depth > 1:
        draft = draft.then("made = made(func)")
    attributes = _attributes_given(outer)
    first = [p for p in inner.parameters if p.required]
    fills = ["", "1", "func", "owner", "owner, 1", "1, 2", "'text'", "a=1", "[1, 2]"]
    if first and first[0].name in {"self", "obj", "instance"}:
        fills = ["owner", "owner, 1", "owner, 1, a=2"]
    for fill in fills:
        base = draft.then(_OWNER) if "owner" in fill else draft
        yield base.then(f"result = made({fill})")
        yield base.then(f"made({fill})", f"result = made({fill})")
        for name in attributes:
            yield base.then(f"result = made.{name}({fill})")


def _attributes_given(outer: Definition) -> list[str]:
    """Return the attributes that the outer function sets on functions it makes."""
    return [
        t.attr
        for node in ast.walk(outer.node)
        if isinstance(node, ast.Assign)
        for t in node.targets
        if isinstance(t, ast.Attribute) and not t.attr.startswith("__")
    ]
