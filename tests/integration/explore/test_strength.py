from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from aipipe_core.sandbox import choose
from pytest_aipipe.generate.request import AdmittedTest
from pytest_aipipe.generate.strength import seconds_for, sharpening, try_mutants, with_strength

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_aipipe.generate.request import Request

SOURCE = """\
def grade(points):
    if points > 90:
        return "best"
    return "plain"
"""
FILE = """\
import shop


def test_best(limit):
    assert shop.grade(limit) == "best"


def test_nothing():
    assert shop.grade(1)
"""
CONFTEST = """\
import pytest


@pytest.fixture
def limit():
    return 91
"""


def admitted(name: str) -> AdmittedTest:
    no_lines: frozenset[int] = frozenset()
    return AdmittedTest(
        "test_new.py", name, "", "e", "t", "shop.py", "grade", no_lines, frozenset()
    )


def test_tests_that_are_not_on_the_disk_are_scored_where_they_will_stand(
    make_request: Callable[..., Request],
) -> None:
    request = make_request(SOURCE, "def test_known(): pass\n", conftest=CONFTEST)
    before = sorted(request.root.rglob("*"))
    ran = {"shop.py": frozenset({2, 3, 4})}
    score = try_mutants(request, choose("off"), {"test_new.py": FILE}, ran, 20.0)

    assert score.note == ""
    assert sorted(request.root.rglob("*")) == before
    best, nothing = with_strength([admitted("test_best"), admitted("test_nothing")], score)
    assert best.mutants >= 3
    assert best.killed > nothing.killed
    assert best.mutants + nothing.mutants == score.total
    assert best.killed + nothing.killed == score.killed
    shutil.rmtree(request.root)


def test_faults_are_tried_only_where_time_is_left() -> None:
    assert seconds_for(60.0, 40.0) == 15.0
    assert seconds_for(40.0, 40.0) == 10.0
    assert seconds_for(60.0, 4.0) == 4.0
    assert seconds_for(60.0, 1.0) == 0.0
    assert seconds_for(5.0, 5.0) == 0.0


def test_tests_are_made_stronger_with_what_is_left_when_the_last_count_has_its_share() -> None:
    assert sharpening(60.0, 55.0) == 15.0
    assert sharpening(60.0, 18.0) == 12.0
    assert sharpening(60.0, 8.0) == 4.0
    assert sharpening(60.0, 3.0) == 0.5
