from __future__ import annotations

import pytest

from pytest_aipipe.gate.rules import RULES, Admission, first_rejection
from pytest_aipipe.gate.thrift import fewest
from pytest_aipipe.generate.model import Candidate


def admission(function: str, prelude: tuple[str, ...] = ()) -> Admission:
    text = "\n".join([*prelude, function])
    candidate = Candidate("t", "test_a", function, prelude)
    return Admission(candidate, text, "a.py", "f", frozenset({1}), frozenset())


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("def test_a(:", "parses: does not parse"),
        ("def test_a():\n    f(1)\n", "names: reads the name f"),
        ("def test_a():\n    len('a')\n", "asserts: asserts nothing"),
        ("def test_a():\n    assert True\n", "asserts: asserts nothing"),
        ("def test_a():\n    a = len('a')\n    assert a == a\n", "asserts: asserts nothing"),
        ("def test_a():\n    assert (len('a') == 2, 'no')\n", "asserts: asserts nothing"),
        ("def test_a():\n    assert isinstance(len('a'), object)\n", "asserts: asserts nothing"),
        ("def test_a():\n    assert len('a') == 2 or True\n", "asserts: asserts nothing"),
        ("def test_a():\n    assert 1 == 1\n", "asserts: asserts nothing"),
        (
            "def test_a():\n    assert str(1) == '<x at 0x7f0011223344>'\n",
            "stable: asserts on a mem",
        ),
        ("def test_a():\n    assert str(1) == '/tmp/a'\n", "stable: asserts on a temp"),
        (
            "def test_a():\n    assert repr(1) == '<L(f=<_io.FileIO name=6 mode=1>)>'\n",
            "stable: asserts on the number of an open file",
        ),
    ],
)
def test_each_rule_gives_its_reason(function: str, reason: str) -> None:
    assert (first_rejection(admission(function), RULES) or "").startswith(reason)


@pytest.mark.parametrize(
    ("imported", "brings"),
    [
        ("from tests.test_shop import TestShop", True),
        ("from shop_test import test_price as test_other", True),
        ("from test_shop import make_shop, PRICES", False),
        ("from starlette.testclient import TestClient", False),
        ("from unittest import TestCase", False),
    ],
)
def test_a_test_brings_no_other_tests_along(imported: str, brings: bool) -> None:
    reason = first_rejection(
        admission("def test_a():\n    assert len('a') == 1\n", (imported,)), RULES
    )
    assert (reason or "").startswith("alone: imports ") == brings


WIN32 = "monkeypatch.setattr('sys.platform', 'win32')"


@pytest.mark.parametrize(
    ("setting", "expected", "refused"),
    [
        (WIN32, "NameError, match=\"^name 'Popen' is not defined$\"", True),
        ("monkeypatch.setattr(shop.os, 'name', 'nt')", "NameError", True),
        ("sys.platform = 'win32'", "NameError", True),
        ("monkeypatch.setattr('platform.system', lambda: 'Windows')", "NameError", True),
        (WIN32, "ImportError, match=\"^No module named 'winreg'$\"", True),
        (WIN32, "ModuleNotFoundError", True),
        ("monkeypatch.setattr('sys.version_info', (2, 7, 18))", "NameError", True),
        (WIN32, "AttributeError, match=\"^module 'os' has no attribute 'startfile'$\"", True),
        (WIN32, "AttributeError, match='^the shop is closed$'", False),
        (WIN32, "ImportError, match='^the shop needs another system$'", False),
        (WIN32, "ValueError, match='^wrong$'", False),
        ("monkeypatch.setattr(shop, 'name', 'nt')", "NameError", False),
        ("monkeypatch.setitem(sys.modules, 'colour', None)", "ImportError", False),
    ],
)
def test_what_only_a_pretended_platform_lacks_is_not_stated(
    setting: str, expected: str, refused: bool
) -> None:
    function = (
        f"def test_a(monkeypatch):\n    {setting}\n"
        f"    with pytest.raises({expected}):\n        shop.open()\n"
    )
    imports = ("import pytest", "import shop", "import sys")
    reason = first_rejection(admission(function, imports), RULES)
    assert (reason or "").startswith("ported: states ") == refused


def test_an_honest_test_passes_every_rule() -> None:
    honest = "def test_a(tmp_path):\n    assert [json.dumps(n) for n in range(2)] == ['0', '1']\n"

    assert first_rejection(admission(honest, ("import json",)), RULES) is None


def test_tests_whose_reach_the_others_have_are_dropped() -> None:
    reaches = [
        frozenset({1, 2}),
        frozenset({2}),
        frozenset({2, 3}),
        frozenset({1, 2, 3, 4}),
        frozenset({9}),
    ]

    assert fewest(reaches, [1, 1, 1, 5, 1]) == [3, 4]
    assert fewest([frozenset({1, 2}), frozenset({1, 2})], [4, 2]) == [1]
    assert fewest([], []) == []
