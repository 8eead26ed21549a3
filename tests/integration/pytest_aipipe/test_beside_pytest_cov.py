"""pytest-cov measures what it would measure without us."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("pytest_cov")
pytest.importorskip("xdist")

OURS = ("--ai-diff", "--ai-engine=none", "--ai-select=off", "--ai-report=json:out.json")


def totals(text: str) -> list[str]:
    found = re.findall(r"^(?:TOTAL|\S+\.py) +\d.*$", text, re.MULTILINE)
    assert found, text
    return found


@pytest.mark.parametrize(
    "options",
    [
        ("--cov=calc",),
        ("--cov=.", "--cov-branch"),
        pytest.param(("--cov=calc", "--cov-branch", "-n", "2"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_its_figures_are_the_same_with_and_without_us(project: Any, options: Any) -> None:
    alone = project.pytest(*options)
    both = project.pytest(*options, *OURS)
    assert (alone.code, both.code) == (0, 0)
    assert totals(both.text) == totals(alone.text)
    assert project.report()["coverage"]["lines"] == {"total": 4, "before": 2, "after": 2}


def test_its_contexts_are_kept(project: Any) -> None:
    import sqlite3

    project.pytest("--cov=calc", "--cov-context=test", *OURS)
    with sqlite3.connect(project.root / ".coverage") as data:
        names = {name for (name,) in data.execute("select context from context")}
    data.close()
    assert "tests/test_calc.py::test_add|run" in names
