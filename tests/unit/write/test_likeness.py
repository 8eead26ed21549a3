from __future__ import annotations

import pytest

from pytest_aipipe.generate.model import Candidate
from pytest_aipipe.write.naming import telling_name
from pytest_aipipe.write.originals import Originals
from pytest_aipipe.write.quotes import preferred, requoted
from pytest_aipipe.write.spacing import spaced


def candidate(body: str, *, note: str = "", mocked: bool = False) -> Candidate:
    return Candidate("t", "test_total", f"def test_total():\n{body}", note=note, mocked=mocked)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "    with pytest.raises(shop.NotFound, match='x'):\n        b.total(voucher='1')\n",
            "test_total_raises_not_found",
        ),
        ("    result = b.total(voucher='1.5%')\n", "test_total_with_voucher_1_point_5_percent"),
        ("    items = ''\n    assert b.total(items) == 2\n", "test_total_with_items_empty_text"),
        ("    assert b.total(-3) == 2\n", "test_total_with_minus_3"),
        ("    result = total(a)\n\n    assert result is None\n", "test_total_gives_none"),
        ("    result = total(-1)\n\n    assert list(result) == []\n", "test_total_with_minus_1"),
        ("    assert total(a) == Decimal('2.50')\n", "test_total_gives_2_point_50"),
        ("    assert total(a).b\n", "test_total"),
    ],
)
def test_a_name_says_what_sets_the_test_apart(body: str, expected: str) -> None:
    assert telling_name(candidate(body), (), alone=False) == expected


def test_a_name_says_what_is_forced_and_is_else_left_alone() -> None:
    forced = candidate("    assert total(1)\n", note="when price fails", mocked=True)

    assert telling_name(forced, (), alone=True) == "test_total_when_price_fails"
    assert telling_name(candidate("    assert total(1)\n"), (), alone=True) == "test_total"


def test_two_errors_are_told_apart_by_their_arguments() -> None:
    body = "    with pytest.raises(ValueError):\n        total({})\n"
    first = telling_name(candidate(body.format("'a'")), (), alone=False)
    second = telling_name(candidate(body.format("'b'")), {first}, alone=False)

    assert (first, second) == (
        "test_total_raises_value_error",
        "test_total_raises_value_error_with_b",
    )


def test_quotes_follow_the_project_and_change_no_value() -> None:
    assert preferred(["a = 'x'\nb = 'y'\nc = \"it's\"\n"]) == "'"
    assert preferred(['a = \'x\'\nb = "y"\nc = "z"\n']) == '"'
    assert preferred([]) == '"'
    given = "a = 'x', b'y', 'say \"so\"', 'a\\n', f'{a}', f'{a[\"k\"]}', '''z'''\n"

    assert requoted(given, '"') == (
        "a = \"x\", b\"y\", 'say \"so\"', 'a\\n', f\"{a}\", f'{a[\"k\"]}', '''z'''\n"
    )
    assert requoted('a = "x"\n', "'") == "a = 'x'\n"


def test_a_copied_helper_is_as_its_author_wrote_it() -> None:
    written = (
        "import a\n\n\n# Counts.\n@mark\ndef count(\n    a,  # one\n):\n    return {\n"
        '        "a": a,\n    }\n'
    )
    copied = "@mark\ndef count(a):\n    return {'a': a}"

    assert Originals([written]).of(copied) == written.partition("\n\n\n")[2].rstrip("\n")
    assert Originals([written]).of("def count(b): pass") == "def count(b): pass"
    assert Originals(["def broken(:"]).of("import a") == "import a"


def test_blank_lines_stand_where_a_person_sets_them() -> None:
    given = (
        "def test_a(monkeypatch):\n\n    # Forced.\n    def fail():\n        raise ValueError\n"
        "    monkeypatch.setattr(app, 'price', fail)\n    result = call()\n    assert result == 1\n"
        "    assert fail\n"
    )

    assert spaced(given) == (
        "def test_a(monkeypatch):\n    # Forced.\n    def fail():\n        raise ValueError\n\n"
        "    monkeypatch.setattr(app, 'price', fail)\n    result = call()\n\n"
        "    assert result == 1\n    assert fail\n"
    )
    assert spaced(spaced(given)) == spaced(given)


def test_the_methods_of_a_class_are_spaced_as_well() -> None:
    given = "class TestA:\n    def test_a(self):\n\n        a = 1\n        assert a\n"

    assert (
        spaced(given) == "class TestA:\n    def test_a(self):\n        a = 1\n\n        assert a\n"
    )
