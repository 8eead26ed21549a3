"""Tables of parametrized tests: which rows stay as they are when others come, go or change.

A row is the same where its text is, and where the test that it makes still has the name that it
was recorded by: the row stands where it stood, or is named for what it holds.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, Self

from aipipe_core import syntax
from pytest_aipipe.select import parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARAMETRIZE = "pytest.mark.parametrize"


class Given(NamedTuple):
    """What a test is given for one argument: the row of its table, and how that names the test.

    ``said`` is None where the test's name does not tell the value.
    """

    at: int
    said: str | None = None


class Row(NamedTuple):
    """A row: its ``text``, and what it says of each argument as a test's name does, None for no."""

    text: str
    said: tuple[str | None, ...]


class Table(NamedTuple):
    """The rows of a table before and now, for the arguments ``names``.

    One that is ``named`` may have been changed since it was written down.
    """

    names: tuple[str, ...]
    before: tuple[Row, ...]
    now: tuple[Row, ...]
    named: bool = False

    def keeps(self, given: Mapping[str, Given]) -> bool:
        """Return whether a test with what it is ``given`` was there before, with the same row."""
        mine = [given.get(name) for name in self.names]
        places = {one.at for one in mine if one is not None}
        if len(places) != 1 or None in mine:
            return False
        at = places.pop()
        if at >= len(self.now):
            return False
        row = self.now[at]
        texts = [one.text for one in self.before], [one.text for one in self.now]
        if any(some.count(row.text) != 1 for some in texts):
            return False
        said = tuple(one.said for one in mine if one is not None)
        if self.named:
            return None not in said and said == row.said
        return texts[0].index(row.text) == at or None not in said

    def of(self, names: tuple[str, ...]) -> Self:
        """Return the table as one that is written down elsewhere, for the arguments ``names``."""
        one = len(names) == 1
        before, now = (
            tuple(row if len(row.said) == len(names) else _alone(row, one=one) for row in some)
            for some in (self.before, self.now)
        )
        return self._replace(names=names, before=before, now=now, named=True)


class Rows(NamedTuple):
    """Rows of a test that may differ: ``why``, the tables, and the arguments that these are for."""

    why: str
    tables: Sequence[Table]
    names: tuple[str, ...]

    def keeps(self, given: Mapping[str, Given]) -> bool:
        """Return whether a test with what it is ``given`` has the same row in all of them."""
        return all(
            (table if table.names else table.of(self.names)).keeps(given) for table in self.tables
        )


def _alone(row: Row, *, one: bool) -> Row:
    """Return a row that is given whole to one argument: its name tells nothing of it."""
    return Row(row.text, (None,) if one else ())


def said(value: object) -> str | None:
    """Return how pytest names a test for ``value``; None where the name does not tell the value."""
    if isinstance(value, str):
        plain = value.isascii() and value.isprintable() and "\\" not in value
        return value if plain and value else None
    if value is None or type(value) in (bool, int, float, complex):
        return str(value)
    name = getattr(value, "__name__", None) if callable(value) else None
    return name if isinstance(name, str) and name != "<lambda>" else None


def changed(old: ast.stmt, new: ast.stmt) -> list[Table] | None:
    """Return the tables that differ in the marks of a test; None where anything else does."""
    if not isinstance(old, parts.FUNCTIONS) or not isinstance(new, parts.FUNCTIONS):
        return None
    if not (parts.is_marked_test(old) and parts.is_marked_test(new)):
        return None
    marks = old.decorator_list, new.decorator_list
    if len(marks[0]) != len(marks[1]) or _bare(old) != _bare(new):
        return None
    found = []
    for before, now in zip(*marks, strict=True):
        if ast.dump(before) == ast.dump(now):
            continue
        mine, theirs = _parametrized(before), _parametrized(now)
        if mine is None or theirs is None or mine[:2] != theirs[:2]:
            return None
        some = rows(mine[2], len(mine[0])), rows(theirs[2], len(mine[0]))
        if some[0] is None or some[1] is None:
            return None
        found.append(Table(mine[0], some[0], some[1]))
    return found or None


def _bare(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return what a header says but for the decorators."""
    returns = ast.dump(node.returns) if node.returns else ""
    return f"{type(node).__name__} {node.name} {ast.dump(node.args)} {returns}"


def _parametrized(node: ast.expr) -> tuple[tuple[str, ...], str, ast.expr] | None:
    """Return the arguments, the other words and the rows of a mark; None where rows are named."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != PARAMETRIZE:
        return None
    given = {word.arg or "**": word.value for word in node.keywords}
    given |= dict(zip(("argnames", "argvalues"), node.args, strict=False))
    names = arguments(given.get("argnames"))
    if len(node.args) > 2 or names is None or "argvalues" not in given:  # noqa: PLR2004
        return None
    if "ids" in given and not isinstance(given["ids"], ast.Name | ast.Attribute | ast.Lambda):
        return None
    others = sorted(
        f"{name}={ast.dump(value)}"
        for name, value in given.items()
        if name not in ("argnames", "argvalues")
    )
    return names, " ".join(others), given["argvalues"]


def arguments(node: ast.expr | None) -> tuple[str, ...] | None:
    """Return the names of arguments that a mark is for, None where they are computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return tuple(name.strip() for name in node.value.split(",") if name.strip())
    if isinstance(node, ast.Tuple | ast.List):
        told = [one.value for one in node.elts if isinstance(one, ast.Constant)]
        return tuple(map(str, told)) if len(told) == len(node.elts) else None
    return None


def tables_of(marks: Sequence[ast.expr]) -> dict[str, tuple[str, ...]]:
    """Return the names of tables that marks take their rows from, with the arguments of each."""
    found = {}
    for mark in marks:
        told = _parametrized(mark)
        if told is not None and isinstance(told[2], ast.Name | ast.Attribute) and not told[1]:
            found[getattr(told[2], "attr", getattr(told[2], "id", ""))] = told[0]
    return found


def written(nodes: Sequence[ast.stmt]) -> dict[str, tuple[Row, ...]]:
    """Return the rows of what statements write down as lists, by the one name that each binds.

    For how many arguments they are is for who takes them.
    """
    found: dict[str, tuple[Row, ...]] = {}
    bound: list[str] = []
    for node in nodes:
        bound += parts.bound(node)
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                some = rows(value, 0)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                some = rows(value, 0)
            case _:
                continue
        if some is not None:
            found[name] = some
    return {name: some for name, some in found.items() if bound.count(name) == 1}


def rows(node: ast.expr, width: int) -> tuple[Row, ...] | None:
    """Return the rows that ``node`` writes down for ``width`` arguments, None where it computes."""
    if not isinstance(node, ast.Tuple | ast.List):
        return None
    if any(isinstance(one, ast.Starred) for one in node.elts):
        return None
    return tuple(_row(one, width) for one in node.elts)


def _row(node: ast.expr, width: int) -> Row:
    values = [node]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.param":
        values = node.args
    elif width != 1 and isinstance(node, ast.Tuple | ast.List):
        values = node.elts
    return Row(ast.dump(node), tuple(map(_said, values)))


def _said(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name | ast.Attribute):
        return getattr(node, "attr", getattr(node, "id", None))
    try:
        return said(syntax.literal(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
