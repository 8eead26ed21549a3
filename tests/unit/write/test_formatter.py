from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.write.formatter import DEFAULT_WIDTH, formatter_of

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = """\
import sys
import os


def test_a():
    assert call(1,   2, 'three', [os, sys], 'a long enough text', 5, 6) == 'nothing at all'
"""


@pytest.mark.parametrize("home", ["pyproject.toml", "ruff.toml", ".ruff.toml"])
@pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")
def test_ruff_lays_out_and_sorts_where_the_project_has_it(tmp_path: Path, home: str) -> None:
    table = "[tool.ruff]\n" if home == "pyproject.toml" else ""
    quotes = "[tool.ruff.format]\n" if table else "[format]\n"
    settings = f'{table}line-length = 60\n{quotes}quote-style = "single"\n'
    (tmp_path / home).write_text(settings)
    formatter = formatter_of(tmp_path)

    assert formatter.width == 60
    laid_out = formatter.format(GIVEN, tmp_path / "test_a.py")
    assert laid_out.startswith("import os\nimport sys\n\n\ndef test_a():\n    assert (\n")
    assert "            'three',\n" in laid_out
    assert formatter.format(laid_out, tmp_path / "test_a.py") == laid_out


@pytest.mark.skipif(find_spec("black") is None, reason="black is not installed")
def test_black_lays_out_where_the_project_has_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 60\n")

    laid_out = formatter_of(tmp_path).format(GIVEN, tmp_path / "test_a.py")

    assert '            "three",\n' in laid_out


def test_without_a_configured_formatter_the_layout_is_plain(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.isort]\nprofile = 'black'\n")
    formatter = formatter_of(tmp_path)

    assert (formatter.commands, formatter.width) == ((), DEFAULT_WIDTH)
    assert formatter.format("a = 1\n", tmp_path / "test_a.py") == "a = 1\n"


def test_settings_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff\n")

    assert formatter_of(tmp_path).commands == ()


@pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")
def test_what_the_formatter_cannot_read_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text("line-length = 100\n")

    broken = "def test_a(:\n"
    assert formatter_of(tmp_path).format(broken, tmp_path / "test_a.py") == broken
