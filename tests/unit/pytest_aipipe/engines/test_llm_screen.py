"""The screen refuses what reaches out, unread by any interpreter, and lets ordinary tests by."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_aipipe.engines.llm.answer import Unreadable, candidates_in, code_in
from pytest_aipipe.engines.llm.screen import screened

HOSTILE = Path(__file__).parents[3] / "data" / "hostile"
LEFT_TO_THE_SANDBOX = {"loop-hidden", "memory", "threads-without-end"}
"""What no reading can tell from an honest test: time, memory and processes have limits there."""


def verdict(text: str, known: tuple[str, ...] = ()) -> str | None:
    (candidate,) = candidates_in(text)
    return screened(candidate, own={"calc"}, known=known)


@pytest.mark.parametrize("file", sorted(HOSTILE.glob("*.txt")), ids=lambda file: file.stem)
def test_a_hostile_test_is_refused(file: Path) -> None:
    said = verdict(file.read_text().replace("@PORT@", "9").replace("@OUT@", "/srv"))
    assert (said is None) == (file.stem in LEFT_TO_THE_SANDBOX)


@pytest.mark.parametrize(
    "line",
    [
        "__import__('os').system('id')",
        "calc.os.system('id')",
        "getattr(calc, 'os').system('id')",
        "getattr(calc.os, 'popen')('id')",
        "print(calc.os.environ)",
        "().__class__.__mro__[1]",
        "(lambda: 0).__globals__",
        "f = open",
        "import ctypes",
        "from os import system",
        "from os import *",
        "import importlib; importlib.import_module('os')",
        "sys.modules['os']",
        "pytest.importorskip('os').system('x')",
        "Path('~/.bashrc').read_text()",
        "Path('/etc/hosts').read_text()",
        "import calc, pty",
        "from . import secrets_of_the_package",
        "time.sleep(100)",
    ],
)
def test_each_way_around_is_refused(line: str) -> None:
    assert verdict(f"import calc\n\ndef test_x():\n    {line}\n    assert calc.add(1, 2)\n")


@pytest.mark.parametrize(
    "text",
    [
        "from calc import add\n\ndef test_x(tmp_path):\n    f = tmp_path / 'a'\n    f.write_text('1')\n    assert add(f.read_text(), '2') == '12'\n",
        "import sys\nimport calc\n\ndef test_x(monkeypatch):\n    monkeypatch.setitem(sys.modules, 'x', None)\n    assert calc.add(1, 2) == 3\n",
        "import os\nimport calc\n\ndef test_x(monkeypatch):\n    monkeypatch.setattr(calc.subprocess, 'run', lambda *a: None)\n    assert calc.add(os.sep, '') == os.path.join('', os.sep)\n",
        "from unittest import mock\nimport calc\n\ndef test_x():\n    with mock.patch('calc.add', return_value=1) as add:\n        assert calc.add() == 1\n    add.assert_called_once()\n",
        "import asyncio\nfrom calc import add\n\nasync def test_x():\n    await asyncio.wait_for(add(1), 1)\n    assert add\n",
        "from calc import add\n\ndef test_x(monkeypatch, capsys):\n    monkeypatch.setenv('HOME', 'x')\n    input = [1]\n    input.remove(1)\n    assert add(input, [2]) == [2]\n",
        "import threading\nfrom calc import add\n\ndef test_x():\n    with threading.RLock():\n        assert add(1, 2) == 3\n",
    ],
)  # fmt: skip
def test_an_ordinary_test_passes(text: str) -> None:
    assert verdict(text) is None


def test_what_the_projects_tests_import_may_be_imported_unless_it_is_dangerous() -> None:
    text = "import {}\n\ndef test_x():\n    assert 1\n"
    assert verdict(text.format("flask")) == "it imports flask, and is not run for that"
    assert verdict(text.format("flask"), known=("flask",)) is None
    assert verdict(text.format("socket"), known=("socket",)) is not None


def test_the_code_is_taken_from_its_block_and_thinking_aloud_is_left_out() -> None:
    said = "<think>```python\nbad\n```</think>Here:\n```python\ndef test_x():\n    assert 1\n```\nDone."
    assert code_in(said) == "def test_x():\n    assert 1\n"
    assert code_in("def test_x():\n    assert 1") == "def test_x():\n    assert 1\n"
    assert code_in("```py\ndef test_x():\n    assert 1") == "def test_x():\n    assert 1\n"


def test_an_answer_is_taken_apart_into_tests_that_share_their_prelude() -> None:
    found = candidates_in(
        '"""About."""\nimport pytest\nX = 1\n\n\n@pytest.mark.parametrize("n", [1])\ndef test_a(n):\n'
        "    assert n == X\n\n\nclass TestB:\n    def test_b(self, tmp_path):\n        assert tmp_path\n\n"
        '    def test_c(self):\n        assert X\n\n\nif __name__ == "__main__":\n    pytest.main()\n'
    )
    assert [one.name for one in found] == ["test_a", "test_b", "test_c"]
    assert found[0].prelude == ("import pytest", "X = 1")
    assert found[0].function.startswith('@pytest.mark.parametrize("n", [1])\ndef test_a(n):')
    assert found[1].function == "def test_b(tmp_path):\n    assert tmp_path\n"
    assert all(one.untrusted for one in found)


def test_a_unittest_class_is_taken_once_for_each_of_its_tests() -> None:
    found = candidates_in(
        "import unittest\n\nclass TestA(unittest.TestCase):\n    def setUp(self):\n        self.x = 1\n"
        "    def test_a(self):\n        assert self.x\n    def test_b(self):\n        assert self.x\n"
    )
    assert [one.function.count("def test_") for one in found] == [1, 1]
    assert all("def setUp" in one.function for one in found)


@pytest.mark.parametrize(
    ("text", "why"), [("I cannot.", "parse"), ("x = 1", "no function"), ("", "no function")]
)
def test_why_an_answer_holds_no_test_is_said(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        candidates_in(text)


def test_dozens_of_tests_are_not_looked_at() -> None:
    assert len(candidates_in("".join(f"def test_{n}():\n    assert 1\n" for n in range(40)))) == 6
