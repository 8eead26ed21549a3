"""An engine of one's own: the very text that ``docs/extending.md`` shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parents[3] / "docs" / "extending.md"


def shown() -> str:
    """The document's conftest, as a reader would copy it."""
    (block,) = re.findall(
        r"^```python\n(# conftest\.py\n.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL
    )
    return str(block)


def test_the_engine_of_the_documentation_closes_a_gap(project: Any) -> None:
    code = [line for line in shown().splitlines() if line.strip() and not line.startswith("#")]
    assert len(code) <= 21  # "an engine in twenty lines", and the import
    project.put({"conftest.py": shown()})
    project.put({"calc.py": CALC})
    ran = project.pytest("--ai-diff", "--ai-engine=edges", "--ai-report=json:out.json")
    assert ran.code == 0, ran.text
    report = project.report()
    assert report["coverage"]["lines"] == {"total": 4, "before": 1, "after": 4}
    assert {test["engine"] for test in report["tests"]} == {"edges"}
    assert {row["engine"] for row in report["techniques"]} == {"edges"}, report["techniques"]
    (row,) = [row for row in report["techniques"] if row["technique"] == "edges"]
    assert row["lines"] == 3
    assert row["tried"] >= row["admitted"] >= 1


CALC = """\
def add(a, b):
    return a + b


def sign(number):
    if number < 0:
        return "-"
    return "+" if number else ""
"""


def test_the_embedded_engine_closes_a_gap_under_xdist(project: Any) -> None:
    ran = project.pytest("--ai-diff", "--ai-report=json:out.json", "--ai-budget=20", "-n", "2")
    assert ran.code == 0, ran.text
    report = project.report()
    assert report["coverage"]["lines"]["after"] == 4
    assert report["timing"]["select"] > 0
    assert project.status() == [" M calc.py", "?? out.json"]


FIXED = """\
from pytest_aipipe.generate.model import Candidate


class Fixed:
    name = "fixed"

    def propose(self, gap, scene):
        body = "def test_sign(low):\\n    assert sign(low) == '-'\\n"
        yield [Candidate("fixed", "test_sign", body, ("from calc import sign",))]


def pytest_aipipe_engines(config):
    return [Fixed()]
"""


def test_an_admitted_test_has_its_folders_fixtures_where_no_other_test_is_selected(
    make_project: Any,
) -> None:
    project = make_project("fixtures")
    project.commit(
        {
            "calc.py": "def add(a, b):\n    return a + b\n",
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "conftest.py": FIXED,
            "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef low():\n    return -1\n",
            "tests/test_other.py": "def test_other(low):\n    assert low == -1\n",
        }
    )
    project.put({"calc.py": CALC})
    ran = project.pytest("--ai-diff", "--ai-engine=fixed", "--ai-report=json:out.json")
    assert ran.code == 0, ran.text
    report = project.report()
    assert [test["status"] for test in report["tests"]] == ["admitted"], report["tests"]
    assert report["selection"]["selected"] == 0
