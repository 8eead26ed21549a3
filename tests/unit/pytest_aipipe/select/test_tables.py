from __future__ import annotations

import ast
import textwrap
from enum import Enum

import pytest

from pytest_aipipe.select.tables import Given, Rows, changed, said
from tests.unit.pytest_aipipe.select.asked import demand


class Color(Enum):
    RED = 1


def mark(rows: str, names: str = "'a, b'", more: str = "") -> ast.stmt:
    text = f"@pytest.mark.parametrize({names}, {rows}{more})\ndef test_it(a, b): ...\n"
    return ast.parse(text).body[0]


def kept(before: str, now: str, *given: Given, names: str = "'a, b'", more: str = "") -> bool:
    """Whether a test with what it is given is as it was, where rows become others."""
    tables = changed(mark(before, names, more), mark(now, names, more))
    assert tables is not None
    return all(table.keeps(dict(zip(("a", "b"), given, strict=False))) for table in tables)


def row(at: int, *said: str | None) -> tuple[Given, ...]:
    return tuple(Given(at, one) for one in said)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (-1.5, "-1.5"),
        (True, "True"),
        (None, "None"),
        ("abc d", "abc d"),
        (int, "int"),
        (said, "said"),
        ("", None),
        ("a\\b", None),
        ("ä", None),
        ((1, 2), None),
        (lambda: 1, None),
        (Color.RED, None),
        ({}, None),
    ],
)
def test_a_test_is_named_for_values_that_are_easily_said(value: object, text: str | None) -> None:
    assert said(value) == text


def test_a_row_that_stands_where_it_stood_is_the_same() -> None:
    assert kept("[(1, 2), (3, 4)]", "[(1, 2), (5, 6)]", *row(0, "1", "2"))
    assert not kept("[(1, 2), (3, 4)]", "[(1, 2), (5, 6)]", *row(1, "5", "6"))
    assert kept("[(x(), 2)]", "[(x(), 2), (5, 6)]", *row(0, None, "2"))


def test_a_row_that_moved_is_the_same_where_its_name_says_what_it_holds() -> None:
    assert kept("[(1, 2)]", "[(0, 0), (1, 2)]", *row(1, "1", "2"))
    assert not kept("[(x(), 2)]", "[(0, 0), (x(), 2)]", *row(1, None, "2"))
    assert kept("[1, 2]", "[0, 2, 1]", *row(2, "1"), names="'a'")


def test_a_row_that_has_no_value_is_not_said() -> None:
    assert not kept("[{[]: 1}]", "[0, {[]: 1}]", *row(1, None), names="'a'")


def test_rows_that_are_not_told_apart_are_not_the_same() -> None:
    assert not kept("[1, 1]", "[1, 1, 2]", *row(0, "1"), names="'a'")
    assert not kept("[1]", "[1, 1]", *row(0, "1"), names="'a'")
    assert not kept("[m.A]", "[n.A]", *row(0, "A"), names="'a'")


def test_what_is_given_by_another_mark_or_none_is_no_row() -> None:
    assert not kept("[(1, 2)]", "[(1, 2), (3, 4)]", Given(0, "1"))
    assert not kept("[(1, 2)]", "[(1, 2), (3, 4)]", Given(0, "1"), Given(1, "2"))
    assert not kept("[(1, 2)]", "[(1, 2), (3, 4)]", *row(7, "1", "2"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (mark("[1]"), mark("[1, 2]", more=", ids=['x']")),
        (mark("[1]", more=", ids=['x']"), mark("[1, 2]", more=", ids=['x', 'y']")),
        (mark("[1]", more=", indirect=True"), mark("[1, 2]")),
        (mark("[1]"), mark("[1, *more]")),
        (mark("[1]"), mark("range(2)")),
        (mark("[1]"), mark("[1, 2]", names="'a'")),
        (mark("[1]"), mark("[1, 2]", names="NAMES")),
        (mark("[1]"), ast.parse("def test_it(a, b): ...").body[0]),
        (mark("[1]"), ast.parse("@pytest.mark.skip\ndef test_it(a, b): ...").body[0]),
        (mark("[1]"), ast.parse("@pytest.mark.parametrize('a, b', [1])\ndef test_it(a): ...").body[0]),
        (mark("[1]"), ast.parse("@other(1)\ndef test_it(a, b): ...").body[0]),
        (mark("[1]"), mark("[1]")),
    ],
)  # fmt: skip
def test_a_mark_that_differs_in_more_than_its_rows_is_another(old: ast.stmt, new: ast.stmt) -> None:
    assert changed(old, new) is None


TABLE = "import pytest\nfrom base import KINDS\n"
USING = "@pytest.mark.parametrize('kind', KINDS)\ndef test_kind(kind): ...\n"
BASE = "import shop\nKINDS = [shop.Cart, shop.Till]\n"
MORE = ("shop.Till]", "shop.Till, shop.Shelf]")


def asked(files: dict[str, str], *change: str) -> list[Rows] | None:
    """The rows that are asked for of the test; None where all of it is."""
    path, old, new = change
    found = demand(files, path, old, new)
    if ("t.py", "test_kind") in found.parts or "t.py" in found.whole:
        return None
    return found.tables.get(("t.py", "test_kind"), [])


def keeps(rows: list[Rows] | None, at: int, text: str) -> bool:
    return rows is not None and all(one.keeps({"kind": Given(at, text)}) for one in rows)


def test_a_list_that_a_test_takes_its_rows_from_changes_those_that_come() -> None:
    files = {"base.py": BASE, "t.py": TABLE + USING}
    rows = asked(files, "base.py", *MORE)
    assert keeps(rows, 0, "Cart")
    assert keeps(rows, 1, "Till")
    assert not keeps(rows, 2, "Shelf")
    assert not keeps(rows, 0, "Till")  # something has moved them since


def test_a_test_of_a_class_takes_its_rows_in_the_same_way() -> None:
    text = f"{TABLE}class TestIt:\n{textwrap.indent(USING, '    ')}"
    assert keeps(asked({"base.py": BASE, "t.py": text}, "base.py", *MORE), 0, "Cart")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("t.py", "KINDS)", "KINDS, indirect=True)"),
        ("t.py", "KINDS)", "sorted(KINDS))"),
        ("t.py", "(kind)", "(kind, size=len(KINDS))"),
        ("t.py", "import KINDS", "import KINDS as ALL\nKINDS = [*ALL]"),
        ("base.py", "[shop.Cart", "[*shop.ALL, shop.Cart"),
        ("t.py", "@pytest", "@pytest.mark.skipif(len(KINDS) > 2, reason='x')\n@pytest"),
    ],
)
def test_a_list_of_which_more_is_made_changes_the_whole_test(path: str, old: str, new: str) -> None:
    files = {"base.py": BASE, "t.py": TABLE + USING}
    files[path] = files[path].replace(old, new)
    assert not keeps(asked(files, "base.py", *MORE), 0, "Cart")


def test_a_list_of_which_an_element_is_another_changes_the_whole_test() -> None:
    files = {"base.py": BASE.replace("shop.Till]", "shop.Till]\nOPEN = 1"), "t.py": TABLE + USING}
    text = files["base.py"].replace("shop.Till]", "shop.Till, shop.Shelf]")
    other = text.replace("import shop", "import store as shop")
    assert not keeps(asked(files, "base.py", files["base.py"], other), 0, "Cart")
