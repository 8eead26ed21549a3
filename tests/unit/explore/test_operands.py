from __future__ import annotations

from pytest_aipipe.explore.operands import is_large, members_of, pairs_of, some_of


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


def test_members_of_a_frozen_set_may_take_the_place() -> None:
    assert ("x", "FOR") in pairs_of('"x"', 'frozenset({"FOR", "WHILE"})', "in")


def test_the_order_of_a_set_does_not_depend_on_the_hash_seed() -> None:
    assert members_of("{'b', 'c', 'a'}") == ["'a'", "'b'", "'c'"]
    assert members_of("frozenset({2, 1})") == ["1", "2"]
    assert members_of("{'key': [1], 'other': None}") == ["'key'", "'other'"]
    assert members_of("'text'") == members_of("object()") == []


def test_a_large_container_is_shown_by_members_from_all_over_it() -> None:
    shown = some_of(frozenset(range(100)))
    assert shown == "{0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99, ...}"
    assert members_of(shown)[:3] == ["0", "18", "27"]
    assert (5, 99) in pairs_of("5", shown, "in")


def test_nothing_is_shown_of_what_has_no_plain_members() -> None:
    assert some_of(frozenset()) is None
    assert some_of([object()]) is None
    assert some_of({"a", 1}) is None
    assert some_of("text") is None
    assert some_of(set(range(3000))) is None


def test_a_text_found_in_another_is_taken_out_or_replaced_by_what_guards_look_for() -> None:
    assert pairs_of('"_"', '"red__hat"', "in", ["-", "_", "."]) == [
        ("_", "red__hat"),
        ("red__hat", "redhat"),
        ("red__hat", "red--hat"),
        ("red__hat", "red..hat"),
    ]


def test_a_text_missing_from_another_is_put_before_and_after_it() -> None:
    pairs = pairs_of('"_"', '"hat"', "not in", ["-"])
    assert ("hat", "_hat") in pairs
    assert ("hat", "hat_") in pairs


def test_broods_learn_from_no_set_that_has_very_many_members() -> None:
    assert is_large('frozenset({"a", "b"})')
    assert is_large(some_of(set(range(100))))
    assert not is_large('{"a", "b"}')
    assert not is_large(None)
