"""Settings are compared by what they say to a test run."""

from __future__ import annotations

import pytest

from aipipe.analyze import analyze
from aipipe.unseen import is_unseen
from aipipe_core.change import read_change
from aipipe_core.config import Settings
from tests.integration.conftest import Project  # noqa: TC001 - a fixture's type

PYPROJECT = """\
[project]
name = "shop"
version = "1"
description = "one"
dependencies = ["flask"]
[project.optional-dependencies]
docs = ["sphinx"]
tests = ["pytest"]
[tool.ruff]
line-length = 90
[tool.pytest.ini_options]
addopts = "-q"
[tool.unheard]
x = 1
"""
TOX = """\
[tox]
envlist = py311
[testenv]
commands = pytest
[pytest]
addopts = -q
"""
SETUP = """\
[metadata]
name = shop
description = one
[options]
install_requires = flask
[flake8]
max-line-length = 90
[mypy-django.*]
ignore_errors = true
[tool:pytest]
addopts = -q
"""


@pytest.fixture
def here(project: Project) -> Project:
    for name, text in (("pyproject.toml", PYPROJECT), ("tox.ini", TOX), ("setup.cfg", SETUP)):
        project.write(name, text)
    project.commit(shop="x = 1\n", tests__test_shop="def test_x():\n    assert True\n")
    return project


@pytest.mark.parametrize(
    ("name", "old", "new", "unseen"),
    [
        ("pyproject.toml", "line-length = 90", "line-length = 80", True),
        ("pyproject.toml", '"one"', '"two"', True),
        ("pyproject.toml", '"sphinx"', '"mkdocs"', True),
        ("pyproject.toml", "[tool.ruff]", "# said\n[tool.ruff]", True),
        ("pyproject.toml", '"pytest"', '"pytest<9"', False),
        ("pyproject.toml", '"flask"', '"flask>=3"', False),
        ("pyproject.toml", '"-q"', '"-v"', False),
        ("pyproject.toml", 'version = "1"', 'version = "2"', False),
        ("pyproject.toml", "x = 1", "x = 2", False),
        ("pyproject.toml", "[tool.ruff]", "[tool.ruff", False),
        ("tox.ini", "py311", "py311,py312", True),
        ("tox.ini", "commands = pytest", "commands = pytest -v", True),
        ("tox.ini", "addopts = -q", "addopts = -v", False),
        ("tox.ini", "[pytest]", "[pytest", False),
        ("setup.cfg", "max-line-length = 90", "max-line-length = 80", True),
        ("setup.cfg", "ignore_errors = true", "ignore_errors = false", True),
        ("setup.cfg", "description = one", "description = two", True),
        ("setup.cfg", "= flask", "= flask>=3", False),
        ("setup.cfg", "addopts = -q", "addopts = -v", False),
    ],
)
@pytest.mark.parametrize("how", ["worktree", "staged", "commit"])
def test_a_change_of_settings_is_seen_where_a_test_run_reads_it(
    here: Project, name: str, old: str, new: str, unseen: bool, how: str
) -> None:
    text = (here.root / name).read_text()
    assert old in text
    here.write(name, text.replace(old, new, 1))
    if how == "staged":
        here.git("add", "--all")
    if how == "commit":
        here.commit()
    spec = {"worktree": "HEAD", "staged": "staged", "commit": "HEAD~1..HEAD"}[how]
    assert is_unseen(read_change(here.root, spec)) is unseen


def test_what_no_test_sees_is_not_tested_whatever_its_risk(here: Project) -> None:
    here.write("pyproject.toml", PYPROJECT.replace("90", "80"))
    here.write(".github/workflows/ci.yml", "on: push\n")
    here.write("risk.yaml", "rules: [{paths: ['pyproject.toml'], always: high}]\n")
    here.git("add", "risk.yaml")
    here.git("commit", "-q", "-m", "rules", "risk.yaml")
    analysis = analyze(here.root, "HEAD", Settings())
    assert (analysis.risk.level, analysis.route.tests) == ("high", "skip")
    assert analysis.why["tests"] == "nothing that a test can see changed"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("tests/test_own.py", "TEXT = open('pyproject.toml')\n", "names a file that changed"),
        ("tests/test_own.py", "import importlib.metadata\n", "reads the package's metadata"),
    ],
)
def test_a_test_that_reads_settings_brings_the_tests_back(
    here: Project, path: str, text: str, said: str
) -> None:
    here.write(path, text)
    here.commit()
    here.write("pyproject.toml", PYPROJECT.replace("one", "two"))
    analysis = analyze(here.root, "HEAD", Settings())
    assert analysis.route.tests == "impacted"
    assert said in analysis.why["tests"]


def test_settings_that_come_or_go_are_seen_by_what_they_said(here: Project) -> None:
    (here.root / "setup.cfg").unlink()
    assert not is_unseen(read_change(here.root, "HEAD"))
    here.git("checkout", "setup.cfg")
    (here.root / "MANIFEST.in").write_text("include x\n")
    assert is_unseen(read_change(here.root, "HEAD"))


def test_code_beside_settings_is_seen_and_so_is_nothing_at_all(here: Project) -> None:
    assert not is_unseen(read_change(here.root, "HEAD"))
    here.write("pyproject.toml", PYPROJECT.replace("90", "80"))
    here.write("shop.py", "x = 2\n")
    assert not is_unseen(read_change(here.root, "HEAD"))
