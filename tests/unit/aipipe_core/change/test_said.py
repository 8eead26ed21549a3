"""Settings are compared by what they say to a test run."""

from __future__ import annotations

import pytest

from aipipe_core.change.said import UnreadableSettingsError, installs, said

SETUP = """\
from setuptools import setup
setup(
    name="shop",
    version="1",
    description="one",
    classifiers=["a"],
    long_description=open("README.md").read(),
    install_requires=["flask"],
)
"""
GROUPS = """\
[build-system]
requires = ["hatchling"]
[project]
dependencies = ["flask"]
[dependency-groups]
dev = ["pytest", "ruff", {include-group = "docs"}]
docs = ["sphinx"]
[tool.poetry.group.dev.dependencies]
pytest = "^8"
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('"one"', '"two"', True),
        ('["a"]', '["a", "b"]', True),
        ("setup(\n", "setup(  # said\n", True),
        ('"flask"', '"flask>2"', False),
        ('"1"', '"2"', False),
        ('open("README.md").read()', 'open("OTHER.md").read()', False),
        ("import setup\n", "import setup\nimport more\n", False),
    ],
)
def test_a_setup_script_is_compared_without_what_an_index_page_shows(
    old: str, new: str, same: bool
) -> None:
    assert (said("setup.py", SETUP) == said("setup.py", SETUP.replace(old, new, 1))) is same


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('"ruff"', '"ruff>1"', True),
        ('"sphinx"', '"mkdocs"', True),
        ('"pytest"', '"pytest>8"', True),
        ('"pytest"', '"pytest<8"', False),
        ('"pytest"', '"pytest>999"', False),
        ('"hatchling"', '"hatchling>1"', True),
        ('"hatchling"', '"hatchling<1"', False),
        ('"hatchling"', '"hatchling", "hatch-vcs"', False),
        ('"flask"', '"flask>1"', False),
        ('"^8"', '"^9"', False),
        ("[project]", '[project]\nversion = "1"', True),
        ("[project]", "[tool.pytest.ini_options]\naddopts = '-v'\n[project]", True),
    ],
)
def test_what_is_installed_is_a_part_of_it(old: str, new: str, same: bool) -> None:
    after = GROUPS.replace(old, new, 1)
    assert (installs("pyproject.toml", GROUPS) == installs("pyproject.toml", after)) is same
    if not same:
        assert said("pyproject.toml", GROUPS) != said("pyproject.toml", after)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("v = '1'\nsetup(version=v)\n", True),
        ("v = '1'\nsetup(version=v)\nprint(v)\n", False),
        ("v = '1'\nsetup(install_requires=[v])\n", False),
        ("v = '1' + x\nsetup(version=v)\n", False),
        ("setup(version='1')\n", True),
    ],
)
def test_a_version_of_its_own_installs_nothing_else(text: str, same: bool) -> None:
    after = text.replace("'1'", "'2'")
    assert (installs("setup.py", text) == installs("setup.py", after)) is same
    assert said("setup.py", text) != said("setup.py", after)


TOX = """\
[testenv]
deps =
    pytest
    py39: mypy
    ruff
    -r reqs.txt
[testenv:docs]
deps = sphinx
[testenv:{lint,fast}]
deps = anything
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("pytest", "pytest<9", False),
        ("py39: mypy", "py39: mypy<2", True),
        ("ruff", "ruff>1", True),
        ("reqs.txt", "others.txt", False),
        ("sphinx", "anything", True),
        ("= anything", "= more", True),
    ],
)
def test_what_tox_installs_beside_the_tests_is_installed(old: str, new: str, same: bool) -> None:
    after = TOX.replace(old, new, 1)
    assert (installs("tox.ini", TOX) == installs("tox.ini", after)) is same
    assert said("tox.ini", TOX) == said("tox.ini", after)


def test_extras_of_a_setup_file_are_read_requirement_by_requirement() -> None:
    text = "[options]\ninstall_requires =\n    flask\n[options.extras_require]\ndev =\n    ruff\n"
    assert installs("setup.cfg", text) == installs("setup.cfg", text.replace("ruff", "mypy"))
    assert installs("setup.cfg", text) != installs("setup.cfg", text.replace("flask", "x"))
    assert installs("setup.cfg", text) != installs("setup.cfg", text.replace("ruff", "pytest"))


def test_more_keys_are_left_out_where_it_is_asked_for() -> None:
    one, two = '[project]\nversion = "1"\n', '[project]\nversion = "2"\n'
    assert said("pyproject.toml", one) != said("pyproject.toml", two)
    assert said("pyproject.toml", one, but={"version"}) == said(
        "pyproject.toml", two, but={"version"}
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[a"),
        ("pyproject.toml", "[project]\ndependencies = 'flask'\n"),
        ("pyproject.toml", "[project]\ndependencies = ['./here']\n"),
        ("setup.cfg", "a = 1\n"),
        ("setup.py", "def"),
        ("other.toml", ""),
    ],
)
def test_what_cannot_be_read_raises_an_error_of_its_own(name: str, text: str) -> None:
    with pytest.raises(UnreadableSettingsError):
        said(name, text)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("branch = true", "branch = True", True),
        ("branch = true", "branch = False", False),
        ("title = Ours", "title = ours", False),
    ],
)
def test_how_truth_is_spelled_is_one_to_a_settings_file(old: str, new: str, same: bool) -> None:
    text = "[coverage:run]\nbranch = true\n[coverage:html]\ntitle = Ours\n"
    assert (said("setup.cfg", text) == said("setup.cfg", text.replace(old, new))) is same


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('dynamic = ["version"]', 'version = "1"', True),
        ('dynamic = ["version"]', 'dynamic = ["version", "readme"]', True),
        ('dynamic = ["version"]', 'dynamic = ["version", "dependencies"]', False),
    ],
)
def test_where_a_silent_value_comes_from_is_as_silent(old: str, new: str, same: bool) -> None:
    text = f'[project]\nname = "shop"\n{old}\n'
    before, after = (
        said("pyproject.toml", one, but={"version"}) for one in (text, text.replace(old, new))
    )
    assert (before == after) is same
