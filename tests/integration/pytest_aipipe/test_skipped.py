"""Tests that are sure to be skipped do not run for what they are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.pytest_aipipe.conftest import Project

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ("--ai-engine=none", "--ai-report=json:out.json")
CODE = "def held(function):\n    function.count = 1\n    return function\n"
TESTS = """\
import os
import unittest

import pytest
from held import held

always = pytest.mark.skipif(True, reason="not here")


@pytest.mark.skip
@held
def test_marked(): ...

@always
@held
def test_met(): ...

@unittest.skipUnless(os.environ.get("SLOW_ONES"), "not here")
class Skipped(unittest.TestCase):
    @held
    def test_of_a_class(self): ...

@held
def test_runs(): ...

@pytest.mark.skipif(False, reason="not here")
@held
def test_runs_since_it_is_not_met(): ...

@pytest.mark.skipif("True", reason="a text")
@held
def test_runs_as_far_as_is_known(): ...

class Partly(unittest.TestCase):
    @unittest.skip("later")
    @held
    def test_runs_its_set_up(self): ...

@unittest.skip("later")
class Own(unittest.TestCase):
    def __init__(self, name):
        super().__init__(name)
    @held
    def test_runs_its_own_constructor(self): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project")
    made.environment["PYTHONPATH"] += f":{made.root}"
    made.commit({"held.py": CODE, "test_held.py": TESTS})
    ran = made.pytest("--ai-diff=worktree", "--ai-select=off", *OPTIONS)
    assert ran.code == 0, ran.text
    return made


def selected(project: Project, *options: str) -> set[str]:
    project.put({"held.py": CODE.replace("count = 1", "count = 2")})
    ran = project.pytest("--ai-diff=worktree", *OPTIONS, *options)
    assert ran.code in (0, 1), ran.text
    reasons = project.report()["selection"]["reasons"]
    return {name.rpartition("::")[2] for name in reasons}


def test_what_nothing_can_come_before_its_skip_is_left_out(project: Project) -> None:
    found = selected(project)
    assert found == {
        "test_runs",
        "test_runs_since_it_is_not_met",
        "test_runs_as_far_as_is_known",
        "test_runs_its_set_up",
        "test_runs_its_own_constructor",
    }


def test_without_the_plugin_that_skips_a_mark_says_nothing(project: Project) -> None:
    found = selected(project, "-p", "no:skipping")
    assert {"test_marked", "test_met"} <= found
    assert "test_of_a_class" not in found


def test_what_is_skipped_no_longer_runs_for_all_that_changed_meanwhile(project: Project) -> None:
    assert "test_of_a_class" not in selected(project)
    project.environment["SLOW_ONES"] = "1"
    assert "test_of_a_class" in selected(project)
