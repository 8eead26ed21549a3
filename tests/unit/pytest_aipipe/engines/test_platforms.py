"""Platforms that conditions ask for, and names that a module has only on some of them."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any

import pytest

from pytest_aipipe.engines.analysis.module import view
from pytest_aipipe.engines.source.platforms import bound_elsewhere, platforms_for
from pytest_aipipe.engines.techniques.force import patches_for
from pytest_aipipe.engines.techniques.module_level import conditions


@pytest.mark.parametrize(
    ("test", "wanted", "first"),
    [
        ("sys.platform == 'darwin'", True, "darwin"),
        ("sys.platform == 'win32'", False, "darwin"),
        ("sys.platform != 'linux'", False, "linux"),
        ("sys.platform.startswith('win')", True, "win32"),
        ("sys.platform in ('cygwin', 'linux')", True, "linux"),
        ("not sys.platform.startswith('win')", False, "win32"),
    ],
)
def test_the_platform_that_a_condition_asks_for_comes_first(
    test: str, wanted: bool, first: str
) -> None:
    found = platforms_for(ast.parse(test, mode="eval").body, wanted=wanted)
    assert found[0] == first
    assert sorted(found) == ["cygwin", "darwin", "linux", "win32"]


def test_names_are_bound_elsewhere_where_a_condition_alone_binds_them() -> None:
    module = view(
        "shop.py",
        "shop",
        dedent(
            """
            import os, sys
            if sys.platform == "win32":
                from subprocess import Popen as start
                import winreg, os
                both = 1
                def open_door(): inner = 1
            else:
                both = 2
            try:
                import colour
            except ImportError:
                pass
            """
        ),
    )
    assert module is not None
    assert bound_elsewhere(module) == {"start", "winreg", "open_door"}


SHOP = """
    import sys

    if sys.platform == "win32":
        import winreg
        from subprocess import Popen

    def key(name):
        if sys.platform == "win32":
            return winreg.OpenKey(name)
        return None

    def start(command):
        return Popen(command).wait()
"""


def test_what_a_platform_alone_has_gets_a_stand_in_on_it(world: Any) -> None:
    patches = patches_for(world(SHOP).situation("key", "return winreg.OpenKey(name)"))
    (windows,) = [one for one in patches if one.note == "on win32"]
    assert windows.lines == (
        "monkeypatch.setattr(shop, 'winreg', MagicMock(), raising=False)",
        "monkeypatch.setattr('sys.platform', 'win32')",
    )
    assert windows.imports == ("import shop", "from unittest.mock import MagicMock")


def test_a_program_is_stood_in_for_where_the_module_looks_for_it(world: Any) -> None:
    patches = patches_for(world(SHOP).situation("start", "return Popen(command).wait()"))
    lines = [line for one in patches for line in one.lines]
    assert "monkeypatch.setattr(shop, 'Popen', start, raising=False)" in lines
    assert not any("'subprocess.Popen'" in line for line in lines)


def test_an_old_python_is_given_the_builtins_that_the_module_reads_on_it(world: Any) -> None:
    shop = world(
        """
        import sys

        if sys.version_info < (3,):
            texts = (basestring,)
        else:
            texts = (str,)
        """
    )
    situation = shop.situation("", "texts = (basestring,)")
    (lines,) = [one[0] for one in conditions(situation) if "(2, 7" in "".join(one[0])]
    assert lines[0] == "monkeypatch.setattr('builtins.basestring', str, raising=False)"
    assert not any("unicode" in line for line in lines)
