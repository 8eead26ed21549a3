from __future__ import annotations

import ast
from itertools import islice

import pytest

from pytest_aipipe.compare.plain import looked_at, plain_asserts
from pytest_aipipe.compare.vary import attribute_reads, held_arguments, member_edits, varied
from pytest_aipipe.compare.words import word_edits, words_of
from pytest_aipipe.engines.source.edits import Pool


def function(source: str) -> ast.FunctionDef:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def pool(*words: str) -> Pool:
    return Pool(names=("split",), literals=tuple(map(repr, words)), near=())


def texts(source: str, *words: str) -> set[str]:
    return {ast.unparse(e.function) for e in word_edits(function(source), pool(*words), words)}


@pytest.mark.parametrize(
    "expected",
    [
        "split('BEGIN x; END')",
        "split('CREATE BEGIN TRANSACTION x; END')",
        "split('TRANSACTION BEGIN x; END')",
        "split('CREATE CREATE BEGIN x; END')",
    ],
)
def test_a_text_is_edited_in_the_words_of_the_code(expected: str) -> None:
    found = texts(
        "def test():\n    split('CREATE BEGIN x; END')\n", "CREATE", "BEGIN", "TRANSACTION"
    )
    assert any(expected in text for text in found)


def test_a_path_of_words_grows_by_one() -> None:
    found = texts("def test():\n    split('a.b')\n", ".")
    assert any("split('a.a.b')" in text for text in found)


def test_members_of_tuples_are_words_as_well() -> None:
    assert words_of(["('A', 'B')", "3", "'C'", "' '", "''"]) == ["A", "B", "C"]


def test_every_edit_is_valid_and_the_original_is_left_alone() -> None:
    test = function("def test():\n    x = Box([1, 2], name='a b')\n    assert x.size == 2\n")
    before = ast.unparse(test)
    edits = list(islice(varied(test, [pool("a")], ["len({})", "{} == {other}"]), 200))
    assert len(edits) > 30
    for edit in edits:
        ast.parse(ast.unparse(ast.fix_missing_locations(edit.function)))
    assert ast.unparse(test) == before
    written = {ast.unparse(edit.function) for edit in edits}
    assert any("outcome = len(x)" in text for text in written)
    assert any("Box([], name='a b')" in text for text in written)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.assertEqual(a.b, 1)", "assert a.b == 1"),
        ("self.assertIs(a, b)", "assert a is b"),
        ("self.assertIn(a, b)", "assert a in b"),
        ("self.assertTrue(a)", "assert a"),
        ("self.assertFalse(a)", "assert not a"),
        ("self.assertIsNone(a)", "assert a is None"),
        ("self.assertRaises(a, b)", "self.assertRaises(a, b)"),
    ],
)
def test_comparing_methods_of_unittest_become_plain_asserts(old: str, new: str) -> None:
    assert new in ast.unparse(plain_asserts(function(f"def test(self):\n    {old}\n")))


def test_what_assertions_are_about_is_looked_at() -> None:
    source = "def test(cache):\n    x = Box(cache)\n    x.fill(1)\n    assert x.get.key(3) == 4\n"
    found = looked_at(function(source))
    assert "x.get.key(3)" in found
    assert "x.get" in found
    assert "x.fill(1)" not in found


def test_a_list_gets_one_more_member_at_either_end() -> None:
    test = function("def test():\n    main(['a.sql'])\n    main([])\n")
    found = [ast.unparse(e.function) for e in member_edits(test, pool("--in-place"))]
    assert len(found) == 3
    assert "main(['a.sql', '--in-place'])" in found[0]
    assert "main(['--in-place', 'a.sql'])" in found[1]
    assert "main(['--in-place'])" in found[2]


def test_what_the_change_binds_is_read_of_objects_and_of_their_attributes() -> None:
    test = function("def test():\n    box = Box()\n    assert box.get(1) == 2\n")
    found = [
        ast.unparse(e.function).splitlines()[-1].strip() for e in attribute_reads(test, ["key"])
    ]
    assert found == ["outcome = box.get.key", "outcome = box.key"]


def test_what_is_passed_is_held_so_that_its_end_can_be_seen() -> None:
    test = function("def test():\n    x = tidy([3, 1], key=None)\n    assert x == [1, 3]\n")
    (edit,) = held_arguments(test)
    assert ast.unparse(edit.function).splitlines()[1:3] == [
        "    argument = [3, 1]",
        "    x = tidy(argument, key=None)",
    ]
