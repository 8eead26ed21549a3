"""Existing tests taken out of their files."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_aipipe.engines.seeds import seed_of
from pytest_aipipe.engines.source.edits import Edit
from pytest_aipipe.engines.source.existing import Taken, take
from pytest_aipipe.engines.source.existing import test_file as parse_file
from pytest_aipipe.generate.model import Candidate

PATH = Path("/project/tests/test_a.py")


def taken(source: str, qualname: str, row: int = 0) -> Taken:
    file = parse_file(PATH, dedent(source))
    assert file is not None
    found = take(file, qualname, row)
    assert found is not None
    return found


def test_helpers_come_along_and_only_those_that_are_needed() -> None:
    found = taken(
        """
        import os
        import json
        LIMIT = 3
        def make(): return json.dumps(LIMIT)
        def other(): return os.sep
        def test_it():
            assert make() == '3'
        """,
        "test_it",
    )
    assert found.prelude(found.function) == (
        "import json", "LIMIT = 3", "def make():\n    return json.dumps(LIMIT)",
    )  # fmt: skip


def test_one_row_of_a_parametrization_is_bound_in_the_body() -> None:
    found = taken(
        """
        import pytest
        @pytest.mark.parametrize(('a', 'b'), [(1, 2), pytest.param(3, 4, id='x')])
        def test_it(a, b, tmp_path):
            assert a < b
        """,
        "test_it",
        row=1,
    )
    assert found.render(found.function).startswith("def test_it(tmp_path):\n    a = 3\n    b = 4\n")


def test_a_unittest_method_keeps_its_class_and_set_up() -> None:
    found = taken(
        """
        import unittest
        class TestA(unittest.TestCase):
            def setUp(self):
                self.x = 1
            def test_one(self):
                self.assertEqual(self.x, 1)
            def test_two(self):
                pass
        """,
        "TestA.test_one",
    )
    text = found.render(found.function)
    assert "class TestA(unittest.TestCase)" in text
    assert "def setUp" in text
    assert "test_two" not in text


def test_a_method_that_needs_no_class_becomes_a_function() -> None:
    found = taken("class TestA:\n    def test_one(self):\n        assert True\n", "TestA.test_one")
    assert found.render(found.function) == "def test_one():\n    assert True\n"


@pytest.mark.parametrize("qualname", ["test_none", "TestNone.test_it"])
def test_what_is_not_there_is_not_taken(qualname: str) -> None:
    file = parse_file(PATH, "def test_it():\n    pass\n")
    assert file is not None
    assert take(file, qualname) is None


def test_a_method_that_became_a_function_keeps_its_fixtures_when_it_is_written_again() -> None:
    found = taken(
        "class TestA:\n    def test_one(self, tmp_path):\n        assert tmp_path\n",
        "TestA.test_one",
    )
    text = found.render(found.function)
    (again,) = ast.parse(text).body
    assert isinstance(again, ast.FunctionDef)
    assert found.render(again) == text == "def test_one(tmp_path):\n    assert tmp_path\n"


def test_a_class_is_edited_as_a_class_or_not_at_all() -> None:
    found = taken(
        """
        class TestA:
            def setup_method(self):
                self.limit = 1
            def test_one(self):
                assert self.limit == 1
        """,
        "TestA.test_one",
    )
    copied = Candidate("amplify", "TestA", found.render(found.function))
    assert seed_of(copied) is None
    seed = seed_of(copied, found)
    assert seed is not None
    made = seed.edited(Edit(seed.function, "as it is"), "amplify")
    assert made is not None
    assert made.function == copied.function
