"""Documentation is tested where a test reads it, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe.analyze import analyze
from aipipe.readers import MOST
from aipipe_core.config import Settings

if TYPE_CHECKING:
    from aipipe.analyze import Analysis
    from tests.integration.conftest import Project


@pytest.fixture
def here(project: Project) -> Project:
    project.write("README.md", "one\n")
    project.write("docs/use.rst", "one\n")
    project.commit(shop="x = 1\n", tests__test_shop="def test_x():\n    assert True\n")
    return project


def routed(here: Project, *documents: str) -> Analysis:
    for path in documents:
        here.write(path, "two\n")
    return analyze(here.root, None, Settings())


def test_documents_that_no_test_reads_are_not_tested(here: Project) -> None:
    assert routed(here, "README.md", "docs/use.rst").route.tests == "skip"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("pytest.ini", "[pytest]\naddopts = --doctest-glob=*.md\n", "pytest.ini speaks of doctest"),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "--markdown-docs"\n', "markdown"),
        ("docs/conftest.py", "from sybil import Sybil\n", "docs/conftest.py may run"),
        ("tests/test_help.py", "TEXT = open('README.md')\n", "tests/test_help.py names a file"),
        ("tests/helper.py", "TEXT = 'readme.md'\n", "tests/helper.py names a file"),
    ],
)
def test_documents_that_a_test_may_read_get_the_tests_that_they_touch(
    here: Project, path: str, text: str, said: str
) -> None:
    here.write(path, text)
    here.commit()
    analysis = routed(here, "README.md")
    assert analysis.route.tests == "impacted"
    assert said in analysis.why["tests"]


def test_a_test_that_names_another_document_does_not_count(here: Project) -> None:
    here.commit(tests__test_help="TEXT = open('CHANGES.md')\n")
    assert routed(here, "README.md").route.tests == "skip"


def test_a_sweep_of_documents_counts_as_read(here: Project) -> None:
    assert routed(here, *(f"docs/{n}.md" for n in range(MOST + 1))).route.tests == "impacted"


def test_a_document_that_goes_is_looked_for_too(here: Project) -> None:
    here.commit(tests__test_help="TEXT = open('docs/use.rst')\n")
    (here.root / "docs/use.rst").unlink()
    assert routed(here).route.tests == "impacted"
