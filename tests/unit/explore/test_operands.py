from __future__ import annotations

from pytest_aipipe.explore.operands import pairs_of


def test_unequal_texts_are_worth_exchanging_both_ways() -> None:
    assert pairs_of("'a'", "'b'", "==") == [("a", "b"), ("b", "a")]


def test_a_bound_is_worth_trying_with_its_neighbours() -> None:
    assert {(3, 10), (3, 11), (3, 9)} <= set(pairs_of("3", "10", "<"))


def test_equal_numbers_are_moved_apart() -> None:
    assert pairs_of("4", "4", "==") == [(4, 5), (4, 3)]


def test_each_member_of_a_container_may_take_the_place() -> None:
    pairs = pairs_of("'x'", "('FOR', 'WHILE')", "in")
    assert ("x", "FOR") in pairs
    assert ("x", "WHILE") in pairs


def test_a_start_is_put_before_the_text() -> None:
    assert pairs_of("'name'", "'--'", "startswith") == [("name", "--name")]
    assert pairs_of("'name'", "('.py', '.txt')", "endswith") == [
        ("name", "name.py"),
        ("name", "name.txt"),
    ]


def test_values_of_other_types_and_values_that_cannot_be_read_give_nothing() -> None:
    assert pairs_of("'1'", "1", "==") == []
    assert pairs_of(None, "1", "==") == []
    assert pairs_of("object()", "1", "==") == []
    assert pairs_of(repr("x" * 1000), "'a'", "==") == []
