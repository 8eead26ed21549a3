from __future__ import annotations

from pytest_aipipe.compare.altered import altered_branches, altered_literals

SOURCE = """\
def f(x, many):
    if x > 10 and x != 17:
        return "big"
    for one in many[:3]:
        x += one
    while x:
        x -= 1
    return x
"""


def test_an_altered_condition_is_aimed_at_from_both_sides() -> None:
    assert altered_branches(SOURCE, frozenset({2})) == {(2, 3), (2, -1)}
    assert altered_branches(SOURCE, frozenset({4})) == {(4, 5), (4, -1)}
    assert altered_branches(SOURCE, frozenset({6, 8})) == {(6, 7), (6, -1)}
    assert altered_branches(SOURCE, frozenset({3})) == frozenset()


def test_the_literals_of_an_altered_comparison_come_with_their_neighbours() -> None:
    found = altered_literals(SOURCE, frozenset({2}))
    assert found[:2] == ["10", "17"]
    assert {"11", "9", "18", "16"} <= set(found)
    assert altered_literals(SOURCE, frozenset({3}))[0] == "'big'"
    assert altered_literals(SOURCE, frozenset({6})) == []


def test_what_cannot_be_read_has_neither() -> None:
    assert altered_branches("def f(:", frozenset({1})) == frozenset()
    assert altered_literals("def f(:", frozenset({1})) == []
