from __future__ import annotations

import pytest

from pytest_aipipe.assertions.common import common, in_both
from pytest_aipipe.explore.fact import Fact


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"a": 1, "b": [1, 3]}',
         ["assert len(x) == 2", 'assert x["a"] == 1', 'assert len(x["b"]) == 2', 'assert x["b"][0] == 1']),
        ('"one of red, blue"', '"one of blue, red"', ["assert len(x) == 16", "assert x.startswith('one of ')"]),
        ("[1, 2, 3]", "[1, 2]", ["assert x[0] == 1", "assert x[1] == 2"]),
        ("{1, 2}", "{1, 3}", ["assert len(x) == 2"]),
        ("1", "2", []), ('"ab"', '"abc"', []), ("[1]", "(1,)", []), ("Cart(1)", "Cart(2)", []),
    ],
)  # fmt: skip
def test_parts_that_two_values_share_are_told(one: str, other: str, expected: list[str]) -> None:
    found = common(Fact(f"assert x == {one}"), Fact(f"assert x == {other}"))
    assert [fact.code for fact in found] == expected
    assert all(fact.strength == 2 for fact in found)


def test_facts_of_other_things_have_nothing_in_common() -> None:
    assert common(Fact("assert x == [1]"), Fact("assert y == [1]")) == []
    assert common(Fact("assert x is None"), Fact("assert x == [1]")) == []


def test_what_holds_in_both_runs_stays_as_it_is() -> None:
    same = Fact("assert x == [1, 2]")
    here = {"x": (same, Fact("assert x.a == 1")), "y": (Fact("assert y == [1, 2]"),)}
    there = {"x": (same,), "y": (Fact("assert y == [1, 3]"),)}
    found = in_both(here, there)
    assert found["x"] == (same,)
    assert [fact.code for fact in found["y"]] == ["assert len(y) == 2", "assert y[0] == 1"]
