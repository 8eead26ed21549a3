"""An engine of one's own, in the twenty lines that the documentation shows."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow

CONFTEST = '''\
import pytest
from pytest_aipipe.generate.model import Candidate


class NoneEngine:
    """Calls the function with None in each place."""

    name = "nones"

    def propose(self, gap, scene):
        for place in range(2):
            values = ["1", "1"]
            values[place] = "None"
            call = f"{gap.symbol}({', '.join(values)})"
            test = f"def test_{gap.symbol}_{place}():\\n    result = {call}\\n"
            prelude = (f"from {gap.module} import {gap.symbol}",)
            yield [Candidate("nones", f"test_{gap.symbol}_{place}", test, prelude, ("result",))]


@pytest.hookimpl(optionalhook=True)
def pytest_aipipe_engines(config):
    return [NoneEngine()]
'''


def test_an_engine_from_a_conftest_closes_a_gap(project: Any) -> None:
    project.put({"conftest.py": CONFTEST})
    assert len(CONFTEST.splitlines()) <= 24
    ran = project.pytest("--ai-diff", "--ai-engine=nones", "--ai-report=json:out.json")
    assert ran.code == 0, ran.text
    report = project.report()
    assert report["coverage"]["lines"] == {"total": 4, "before": 2, "after": 4}
    assert {test["engine"] for test in report["tests"]} == {"nones"}


def test_the_embedded_engine_closes_a_gap_under_xdist(project: Any) -> None:
    ran = project.pytest("--ai-diff", "--ai-report=json:out.json", "--ai-budget=20", "-n", "2")
    assert ran.code == 0, ran.text
    assert project.report()["coverage"]["lines"]["after"] == 4
    assert project.status() == [" M calc.py", "?? out.json"]
