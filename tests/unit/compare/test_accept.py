from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.compare.accept import candidate_of
from pytest_aipipe.compare.sources import candidates_of
from pytest_aipipe.generate.request import AdmittedTest
from pytest_aipipe.session.accepting import waiting

if TYPE_CHECKING:
    from pathlib import Path

FILE = '''\
"""Says something."""

import pytest
from shapes import area


@pytest.fixture
def three():
    return 3


@pytest.mark.parametrize("w", [1])
def test_area(w, three):
    assert area(w, three) == 3
'''


def test_the_one_test_of_a_file_comes_with_its_imports_and_fixtures() -> None:
    candidate = candidate_of(FILE)
    assert candidate is not None
    assert candidate.name == "test_area"
    assert candidate.function.startswith("@pytest.mark.parametrize")
    assert candidate.prelude == (
        "import pytest",
        "from shapes import area",
        "@pytest.fixture\ndef three():\n    return 3",
    )


@pytest.mark.parametrize("text", ["", "x = 1\n", "def test(:\n", FILE + "\n\ndef test_b(): pass\n"])
def test_a_file_without_exactly_one_test_is_none(text: str) -> None:
    assert candidate_of(text) is None


def test_written_tests_are_candidates_with_their_files_preludes() -> None:
    test = AdmittedTest(
        "test_a.py", "test_area", "def test_area(): ...", "local", "carve", "a.py", "f",
        frozenset(), frozenset(),
    )  # fmt: skip
    (found,) = candidates_of([test], {"test_a.py": FILE})
    assert (found.name, found.technique, found.function) == ("test_area", "carve", test.source)
    assert "from shapes import area" in found.prelude
    assert candidates_of([test], {}) == []


@pytest.mark.parametrize(
    "name", ["test_b", "test_b.py", "t/behavior/test_b.py", "t/behavior/test_b.py::test_x"]
)
def test_a_catching_test_can_be_named_in_several_ways(tmp_path: Path, name: str) -> None:
    for file in ("conftest.py", "test_a.py", "test_b.py"):
        (tmp_path / file).touch()
    assert [f.name for f in waiting(tmp_path, name)] == ["test_b.py"]
    assert [f.name for f in waiting(tmp_path, "")] == ["test_a.py", "test_b.py"]
    assert waiting(tmp_path, "test_c") == []
