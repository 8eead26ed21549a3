"""Of a lock file only what the tests can run with counts."""

from __future__ import annotations

import pytest

from aipipe_core.change.lock import read_lock

PYPI = 'source = { registry = "https://index.example/simple" }'
LOCKED = f"""\
version = 1
revision = 2
requires-python = ">=3.11"

[[package]]
name = "babel"
version = "2.1"
{PYPI}

[[package]]
name = "click"
version = "8.1"
{PYPI}

[[package]]
name = "Flask"
version = "3.0"
{PYPI}
dependencies = [{{ name = "click" }}, {{ name = "old", marker = "python_version < '3.12'" }}]

[package.optional-dependencies]
async = [{{ name = "idna" }}]

[[package]]
name = "idna"
version = "3.1"
{PYPI}

[[package]]
name = "old"
version = "1.0"
{PYPI}

[[package]]
name = "old"
version = "2.0"
{PYPI}

[[package]]
name = "pluggy"
version = "1.5"
{PYPI}

[[package]]
name = "pytest"
version = "8.0"
{PYPI}
dependencies = [{{ name = "pluggy" }}]

[[package]]
name = "ruff"
version = "0.5"
{PYPI}

[[package]]
name = "shop"
version = "0.9"
source = {{ editable = "." }}
dependencies = [{{ name = "flask" }}]

[package.dev-dependencies]
dev = [{{ name = "ruff" }}]
docs = [{{ name = "sphinx" }}]
tests = [{{ name = "pytest" }}]

[[package]]
name = "sphinx"
version = "7.0"
{PYPI}
dependencies = [{{ name = "babel" }}]
"""


def of(text: str, imports: str = "") -> dict[str, str]:
    return read_lock(text, ["docs"], imports=lambda name: name == imports)


def test_what_the_project_and_its_tests_reach_counts() -> None:
    assert set(of(LOCKED)) == {"click", "flask", "idna", "old", "pluggy", "pytest"}


def test_what_code_imports_counts_whoever_asks_for_it() -> None:
    assert set(of(LOCKED, "babel")) - set(of(LOCKED)) == {"babel"}


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('"7.0"', '"7.1"', True),
        ('"0.5"', '"0.6"', True),
        ('"0.9"', '"1.0"', True),
        ("revision = 2", "revision = 3", True),
        ('">=3.11"', '">=3.12"', True),
        ('"8.1"', '"8.2"', False),
        ('"1.0"', '"1.1"', False),
        ('"1.5"', '"1.6"', False),
        ('{ name = "click" }, ', "", False),
        ('tests = [{ name = "pytest" }]', "", False),
        ('dev = [{ name = "ruff" }]', 'dev = [{ name = "ruff" }, { name = "pytest-ruff" }]', False),
    ],
)
def test_locks_are_compared_by_what_counts(old: str, new: str, same: bool) -> None:
    assert (of(LOCKED) == of(LOCKED.replace(old, new))) is same


def test_the_same_version_from_elsewhere_is_another() -> None:
    moved = LOCKED.replace(PYPI, 'source = { git = "https://forge.example/it" }')
    assert of(LOCKED) != of(moved)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = 2\npackage = []\n",
        "version = 1\npackage = []\n",
        "version = 1\npackage = 1\n",
        "version = 1\n[[package]]\nname = 'x'\n",
        "version = 1\n[[package]]\nname = 'x'\nsource = {virtual = '.'}\ndependencies = 1\n",
        LOCKED.replace('editable = "."', 'directory = "."'),
        "not toml",
    ],
)
def test_what_is_not_understood_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        of(text)
