"""Dependencies that changed: all tests run where a test run can notice, and only there."""

from __future__ import annotations

import pytest

from aipipe.analyze import analyze
from aipipe.installed import Tools, noticed
from aipipe_core.change import read_change
from aipipe_core.config import Settings
from tests.integration.conftest import Project  # noqa: TC001 - a fixture's type

PINS = """\
black==22.1
flask==2.0
idna==3.1
    # via sphinx
mypy==0.9
pytest==7.0
sphinx==4.0
"""
PYPROJECT = """\
[project]
name = "shop"
version = "1"
dependencies = ["flask"]
[project.optional-dependencies]
dev = ["pytest", "ruff"]
"""


@pytest.fixture
def here(project: Project) -> Project:
    project.write("requirements/dev.txt", PINS)
    project.write("tests/requirements.txt", PINS)
    project.write("pyproject.toml", PYPROJECT)
    project.write("poetry.lock", "[[package]]\nname = 'flask'\n")
    project.commit(shop="x = 1\n", tests__test_shop="def test_x():\n    assert True\n")
    return project


def why(here: Project) -> str:
    change = read_change(here.root, "HEAD")
    return noticed(change, Tools(change))


@pytest.mark.parametrize("path", ["requirements/dev.txt", "tests/requirements.txt"])
def test_a_new_version_of_what_tests_run_with_runs_all_tests(here: Project, path: str) -> None:
    here.write(path, PINS.replace("pytest==7.0", "pytest==7.1"))
    analysis = analyze(here.root, "HEAD", Settings())
    assert analysis.route.tests == "full"
    assert analysis.why["tests"] == f"pytest changed in {path}"


@pytest.mark.parametrize("path", ["requirements/dev.txt", "tests/requirements.txt"])
@pytest.mark.parametrize("how", ["worktree", "staged", "commit"])
def test_new_versions_of_tools_run_none(here: Project, path: str, how: str) -> None:
    text = PINS.replace("0.9", "0.10").replace("idna==3.1", "idna==3.2").replace("22.1", "22.2")
    here.write(path, text)
    if how == "staged":
        here.git("add", "--all")
    if how == "commit":
        here.commit()
    spec = {"worktree": "HEAD", "staged": "staged", "commit": "HEAD~1..HEAD"}[how]
    analysis = analyze(here.root, spec, Settings())
    assert analysis.route.tests == "skip"
    assert analysis.why["tests"] == "nothing that a test can see changed"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tests/test_types.py", "import subprocess\nsubprocess.run(['mypy', 'shop'])\n"),
        ("shop.py", "from mypy import api\n"),
        ("shop.py", "import mypy.api\n"),
        ("conftest.py", "PLUGINS = 'mypy'\n"),
    ],
)
def test_a_tool_that_a_test_names_or_code_imports_is_one_of_the_tests(
    here: Project, path: str, text: str
) -> None:
    here.write(path, text)
    here.commit()
    here.write("requirements/dev.txt", PINS.replace("0.9", "0.10"))
    assert why(here) == "mypy changed in requirements/dev.txt"


@pytest.mark.parametrize("text", ["import idna\n", "def f():\n    from idna import core\n"])
def test_what_only_a_tool_asks_for_counts_where_code_imports_it(here: Project, text: str) -> None:
    here.write("shop.py", text)
    here.commit()
    here.write("requirements/dev.txt", PINS.replace("idna==3.1", "idna==3.2"))
    analysis = analyze(here.root, "HEAD", Settings())
    assert analysis.route.tests == "full"
    assert analysis.why["tests"] == "idna changed in requirements/dev.txt"


def test_a_package_is_known_by_the_module_that_it_brings(here: Project) -> None:
    here.write("shop.py", "import yaml\n")
    here.commit()
    here.write("requirements/dev.txt", PINS.replace("idna", "PyYAML"))
    here.commit()
    here.write("requirements/dev.txt", PINS.replace("idna==3.1", "PyYAML==6"))
    assert why(here) == "pyyaml changed in requirements/dev.txt"


def test_a_tool_that_only_documents_import_stays_a_tool(here: Project) -> None:
    here.write("docs/conf.py", "import sphinx\n")
    here.write("noxfile.py", "import mypy\n")
    here.commit()
    here.write("requirements/dev.txt", PINS.replace("0.9", "0.10").replace("4.0", "4.1"))
    assert why(here) == ""


def test_what_is_told_names_few_packages_and_counts_the_rest(here: Project) -> None:
    here.write("requirements/dev.txt", "a==1\nb==1\nc==1\nd==1\n")
    assert why(here) == "a, b, c and 3 more changed in requirements/dev.txt"


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("requirements/dev.txt", f"{PINS}./here\n", "cannot be read package by package"),
        ("poetry.lock", "[[package]]\nname = 'x'\n", "says what is installed"),
        (".python-version", "3.13\n", "says what is installed"),
        ("pyproject.toml", PYPROJECT.replace('"pytest"', '"pytest<8"'), "installs changed"),
        ("pyproject.toml", PYPROJECT.replace('["flask"]', "1"), "installs cannot be read"),
        ("pyproject.toml", PYPROJECT.replace('"ruff"', '"ruff>1"'), ""),
        ("pyproject.toml", PYPROJECT.replace('version = "1"', 'version = "2"'), ""),
        ("setup.py", "import setuptools\nsetuptools.setup(name='shop')\n", "installs changed"),
        ("docs/requirements.txt", "sphinx\n", ""),
        ("requirements/docs.txt", "sphinx\n", ""),
        ("shop.py", "x = 2\n", ""),
    ],
)
def test_each_file_that_says_what_is_installed_is_read(
    here: Project, path: str, text: str, told: str
) -> None:
    here.write(path, text)
    found = why(here)
    assert found.endswith(told)
    assert bool(found) is bool(told)


def test_a_list_that_was_renamed_is_not_compared(here: Project) -> None:
    here.git("mv", "requirements/dev.txt", "requirements/all.txt")
    assert why(here).endswith("which says what is installed")


def test_dependencies_beside_code_run_all_tests_at_low_risk(here: Project) -> None:
    here.write("risk.yaml", "rules: [{paths: ['**'], always: low}]\n")
    here.commit()
    here.write("shop.py", "x = 2\n")
    here.write("requirements/dev.txt", PINS.replace("flask==2.0", "flask==2.1"))
    analysis = analyze(here.root, "HEAD", Settings())
    assert (analysis.risk.level, analysis.route.tests) == ("low", "full")
    assert analysis.why["tests"] == "flask changed in requirements/dev.txt"
    assert analysis.why["build"] == "dependencies changed"


LOCKED = """\
version = 1
[[package]]
name = "flask"
version = "3.0"
source = { registry = "https://index.example/simple" }
[[package]]
name = "ruff"
version = "0.5"
source = { registry = "https://index.example/simple" }
[[package]]
name = "shop"
source = { virtual = "." }
dependencies = [{ name = "flask" }]
dev-dependencies = { dev = [{ name = "ruff" }] }
"""


@pytest.mark.parametrize(
    ("old", "new", "tests", "told"),
    [
        ("0.5", "0.6", "skip", "nothing that a test can see changed"),
        ("3.0", "3.1", "full", "flask changed in uv.lock"),
        ("version = 1", "version = 9", "full", "uv.lock changed, which cannot be read package"),
    ],
)
def test_a_lock_is_read_package_by_package(
    here: Project, old: str, new: str, tests: str, told: str
) -> None:
    here.write("uv.lock", LOCKED)
    here.commit()
    here.write("uv.lock", LOCKED.replace(old, new))
    analysis = analyze(here.root, "HEAD", Settings())
    assert analysis.route.tests == tests
    assert analysis.why["tests"].startswith(told)
