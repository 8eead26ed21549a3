"""`aipipe doctor` on test files: by the names that pytest would take, in real repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe.doctor.finding import State
from aipipe.doctor.testfiles import tests_of as look

if TYPE_CHECKING:
    from tests.integration.conftest import Project

CASE = "import unittest\n\n\nclass Orders(unittest.TestCase):\n    def test_one(self): ...\n"


def test_files_with_the_usual_names_are_found(project: Project) -> None:
    project.commit(tests__test_price=CASE)
    project.write("tests/price_test.py", CASE)
    found = look(project.root)
    assert (found.state, found.text) == (State.GOOD, "2 files by name, from tests/price_test.py on")


def test_a_file_that_pytest_passes_over_is_named_with_the_setting(project: Project) -> None:
    project.commit(tests=CASE)
    found = look(project.root)
    assert found.state is State.OPTIONAL
    assert "tests.py holds tests" in found.text
    assert 'python_files = ["test_*.py", "*_test.py", "tests.py"]' in found.advice


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\ntestpaths = ["tests.py"]\n'),
        ("pyproject.toml", '[tool.pytest.ini_options]\npython_files = "tests.py"\n'),
        ("pytest.ini", "[pytest]\npython_files = tests.py test_*.py\n"),
        ("tox.ini", "[pytest]\ntestpaths =\n    tests.py\n"),
        ("setup.cfg", "[tool:pytest]\npython_files = tests.py\n"),
    ],
)
def test_the_settings_that_pytest_reads_count(project: Project, file: str, text: str) -> None:
    project.write(file, text)
    project.commit(tests=CASE)
    assert look(project.root).state is State.GOOD


@pytest.mark.parametrize("broken", ["[tool\n", "\x00", "tool = 3\n"])
def test_a_broken_file_of_settings_counts_as_none(project: Project, broken: str) -> None:
    project.write("pyproject.toml", broken)
    project.write("tox.ini", "no section\n")
    project.commit(tests=CASE)
    assert look(project.root).state is State.OPTIONAL


def test_a_module_of_that_name_without_tests_is_no_test_file(project: Project) -> None:
    project.commit(tests="def attest():\n    return 1\n")
    assert look(project.root).text == "none yet"
