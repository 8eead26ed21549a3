from __future__ import annotations

import pytest

from pytest_aipipe.generate.request import Naming
from pytest_aipipe.write.naming import file_name, test_name
from pytest_aipipe.write.preludes import read_prelude
from pytest_aipipe.write.tidy import tidied

unique_test_name = test_name
del test_name


def test_a_prelude_keeps_what_the_test_needs_and_sorts_its_imports() -> None:
    prelude = read_prelude(
        [
            "import os, sys\nimport pytest",
            "from shop import b as c, a",
            "import json",
            "def helper():\n    return json.dumps(a)",
            "def idle():\n    return sys",
        ],
        "def test_it():\n    assert helper() == c\n    pytest.fail()\n",
    )

    assert prelude.text(frozenset({"shop"})) == (
        "import json\n\nimport pytest\n\nfrom shop import a, b as c\n\n\n"
        "def helper():\n    return json.dumps(a)"
    )


def test_one_name_with_two_meanings_is_a_clash() -> None:
    first = read_prelude(["from a import x"], "def test_a():\n    x()\n")
    second = read_prelude(["from b import x"], "def test_b():\n    x()\n")

    assert first.clashes(second)
    assert not first.clashes(first)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("test_*.py",), "test_cart_2.py"),
        (("*_test.py",), "cart_test.py"),
        (("check_*.py", "x"), "check_cart.py"),
        (("tests.py",), "test_cart_generated.py"),
    ],
)
def test_a_file_is_named_so_that_the_project_collects_it(
    patterns: tuple[str, ...], expected: str
) -> None:
    assert file_name("Cart", Naming(files=patterns), {"test_cart.py"}) == expected


def test_a_test_is_renamed_only_where_it_must_be() -> None:
    assert unique_test_name("test_a", Naming(), {"test_a"}) == "test_a_2"
    assert unique_test_name("test_a", Naming(functions=("check",)), ()) == "check_a"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("assert f(1) == 2", "assert f(1) == 2\n"),
        (
            "result = make(first='aaaaaaaaaaaaaa', second='bbbbbbbbbbbbbb')",
            "result = make(\n    first='aaaaaaaaaaaaaa',\n    second='bbbbbbbbbbbbbb',\n)\n",
        ),
        (
            "assert value == ['aaaaaaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbbbbbbbbbb']",
            "assert value == [\n    'aaaaaaaaaaaaaaaaaaaa',\n    'bbbbbbbbbbbbbbbbbbbbbbbb',\n]\n",
        ),
        (
            "made = make(lambda *args, **kwargs: None, 'bbbbbbb')",
            "made = make(\n    lambda *args, **kwargs: None,\n    'bbbbbbb',\n)\n",
        ),
        ("text = 'there is nothing here that could be broken'", None),
    ],
)
def test_long_lines_are_broken_in_their_brackets(line: str, expected: str | None) -> None:
    assert tidied(line + "\n", 40) == (expected or line + "\n")
