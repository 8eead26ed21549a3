from __future__ import annotations

import pytest

from pytest_aipipe.select.settings import differ


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("pyproject.toml", "[tool.ruff]\na = 1", "[tool.ruff]\na = 2", False),
        ("pyproject.toml", "[project]\nversion = '1'", "[project]\nversion = '2'", False),
        ("pyproject.toml", "", "[tool.pytest.ini_options]\naddopts = '-q'", True),
        ("pyproject.toml", "", "[project]\ndependencies = ['a']", True),
        ("pyproject.toml", "", "[broken", True),
        ("tox.ini", "[testenv]\ndeps = a", "[testenv]\ndeps = b", False),
        ("tox.ini", "", "[pytest]\naddopts = -q", True),
        ("setup.cfg", "[flake8]\na = 1", "[flake8]\na = 2", False),
        ("setup.cfg", "", "[tool:pytest]\na = 2", True),
    ],
)
def test_only_what_a_test_run_reads_counts(path: str, old: str, new: str, expected: bool) -> None:
    assert differ(path, old.encode(), new.encode()) is expected


def test_a_file_that_comes_or_goes_counts() -> None:
    assert differ("pytest.ini", None, b"")
    assert differ("pytest.ini", b"", None)
