"""The route's tests are those that the map of earlier runs names: real runs, one after the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aipipe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Project

pytestmark = pytest.mark.slow

SHOP = """\
def price(amount):
    return amount * 2


def greeting(name):
    return "hello " + name
"""
TESTS = """\
import shop


def test_price():
    assert shop.price(2) == 4


def test_greeting():
    assert shop.greeting("you") == "hello you"
"""
PIPELINE = "stages: {t: {uses: tests, arguments: [-q, -p, no:cacheprovider]}}\n"
PINS = "flask==2.0\nmypy==1.0\npytest==8.0\n"


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository whose tests have run once, so that the map knows them; its risk is low."""
    project.write("pipeline.yaml", PIPELINE)
    project.write("requirements.txt", PINS)
    project.write("risk.yaml", "rules: [{paths: ['**'], always: low}]\n")
    project.commit("start", README="x\n")
    project.commit("shop", shop=SHOP, test_shop=TESTS)
    monkeypatch.chdir(project.root)
    assert main(["run", "HEAD~1..HEAD"]) == 0
    assert selected(project) == ["test_greeting", "test_price"]
    return project


def folder(here: Project) -> Path:
    """Return the newest run's folder; the sessions of pytest have some of their own beside it."""
    return max(path.parent for path in (here.root / ".aipipe" / "runs").glob("*/run.json"))


def selected(here: Project) -> list[str]:
    found = json.loads((folder(here) / "tests.json").read_text())["selection"]["reasons"]
    return sorted(nodeid.rpartition("::")[2] for nodeid in found)


def route(here: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder(here) / "risk.json").read_text())["route"]
    return found


def test_of_tests_with_the_same_imports_only_those_that_ran_the_change_run(here: Project) -> None:
    here.commit("dearer", shop=SHOP.replace("amount * 2", "2 * amount"))
    assert main(["run", "HEAD~1..HEAD"]) == 0
    assert (route(here)["tests"], selected(here)) == ("impacted", ["test_price"])


def test_a_fault_is_found_by_the_one_test_that_runs(here: Project) -> None:
    here.commit("wrong", shop=SHOP.replace('"hello "', '"bye "'))
    assert main(["run", "HEAD~1..HEAD"]) == 1
    assert selected(here) == ["test_greeting"]


def test_a_docstring_at_high_risk_runs_what_it_touches(here: Project) -> None:
    here.write("risk.yaml", "rules: [{paths: ['shop.py'], always: high}]\n")
    here.commit("rules")
    text = SHOP.replace("def price(amount):\n", 'def price(amount):\n    """Say."""\n')
    here.commit("said", shop=text)
    assert main(["run", "HEAD~1..HEAD"]) == 0
    assert route(here)["tests"] == "impacted"
    assert "test_greeting" not in selected(here)


@pytest.mark.parametrize(
    ("old", "new", "tests"), [("mypy==1.0", "mypy==1.1", "skip"), ("8.0", "8.1", "full")]
)
def test_a_new_version_runs_all_tests_or_none(
    here: Project, old: str, new: str, tests: str
) -> None:
    here.write("requirements.txt", PINS.replace(old, new))
    here.commit("newer")
    assert main(["run", "HEAD~1..HEAD"]) == 0
    assert route(here)["tests"] == tests
    assert (folder(here) / "tests.json").exists() is (tests == "full")
    if tests == "full":
        assert selected(here) == ["test_greeting", "test_price"]
        assert route(here)["why"]["tests"] == "pytest changed in requirements.txt"
