from __future__ import annotations

import gc
import types
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.explore.marks import Marks

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = '''\
def sort(items, limit=3):
    """Say which it is."""
    for item in items:
        if item > limit and item != 9:
            found = "big"
        else:
            found = "small"
        try:
            item / (item - 1)
        except ZeroDivisionError:
            found = "one"
    while limit < 0:
        limit += 1
    return found
'''


@pytest.fixture
def shop() -> Iterator[tuple[Any, Marks]]:
    module = types.ModuleType("shop")
    exec(compile(SOURCE, "/project/shop.py", "exec", dont_inherit=True), module.__dict__)
    code = module.sort.__code__
    marks = Marks({"/project/shop.py": ("shop.py", SOURCE)})
    yield module, marks
    module.sort.__code__ = code
    gc.unfreeze()


def reached(marks: Marks) -> set[tuple[str, int, int]]:
    return marks.reached(marks.way())


def test_the_lines_and_branches_that_ran_are_told(shop: tuple[Any, Marks]) -> None:
    module, marks = shop
    marks.begin()
    assert module.sort([5]) == "big"
    found = reached(marks)
    assert {("shop.py", 4, 0), ("shop.py", 5, 0), ("shop.py", 4, 5), ("shop.py", 14, 0)} <= found
    assert ("shop.py", 7, 0) not in found
    assert ("shop.py", 13, 0) not in found


def test_a_handler_is_told_by_its_own_line(shop: tuple[Any, Marks]) -> None:
    module, marks = shop
    marks.begin()
    assert module.sort([1]) == "one"
    assert {("shop.py", 10, 0), ("shop.py", 11, 0)} <= reached(marks)


def test_each_part_of_a_condition_makes_another_way(shop: tuple[Any, Marks]) -> None:
    module, marks = shop
    ways = []
    for item in (9, 2):  # both are small, for another reason each
        marks.begin()
        assert module.sort([item]) == "small"
        ways.append(marks.way())
    assert ways[0] != ways[1]


def test_nothing_is_told_while_the_marks_are_away(shop: tuple[Any, Marks]) -> None:
    module, marks = shop
    marks.begin()
    with marks.away():
        module.sort([5])
    assert not marks.way()
    module.sort([5])
    assert marks.way()


def test_the_marks_of_lines_are_known_before_they_run(shop: tuple[Any, Marks]) -> None:
    module, marks = shop
    marks.begin()
    module.sort([5], limit=-1)
    assert marks.way() & marks.near([("shop.py", 13)])
    assert not marks.near([("shop.py", 99)])
    assert module.sort.__doc__ == "Say which it is."
