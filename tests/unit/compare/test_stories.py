from __future__ import annotations

from pytest_aipipe.compare.model import Difference, Kind, Place
from pytest_aipipe.compare.stories import ATTEMPTS, PER_PLACE, Stories

PLACE = Place("a.py", "a.py", "a", "f", frozenset({1}), frozenset({1}))
OTHER = Place("a.py", "a.py", "a", "g", frozenset({9}), frozenset({9}))


def error(base: str, head: str = "no error", *, weak: bool = False) -> Difference:
    return Difference(Kind.ERROR, "", base, head, weak)


def test_the_same_errors_on_both_sides_are_one_story_whatever_their_words() -> None:
    stories = Stories()
    stories.tell(PLACE, error("ValueError: a"))
    assert not stories.is_new(PLACE, error("ValueError: b"))
    assert not stories.is_new(PLACE, error("ValueError: a", "TypeError: b"))
    assert stories.is_new(PLACE, error("KeyError: a"))
    assert stories.is_new(PLACE, error("no error", "KeyError: a"))
    assert stories.is_new(PLACE, Difference(Kind.VALUE, "result", "1", "2"))
    assert stories.is_new(OTHER, error("ValueError: a"))
    assert (stories.told(PLACE), stories.told(OTHER)) == (1, 0)


def test_what_is_worth_little_is_new_only_where_nothing_is_known() -> None:
    stories = Stories()
    assert stories.is_new(PLACE, error("TypeError: a", weak=True))
    stories.know(PLACE, error("ValueError: a"))
    assert not stories.is_new(PLACE, error("TypeError: a", weak=True))
    assert stories.told(PLACE) == 0


def test_a_place_is_closed_by_what_was_told_or_tried() -> None:
    told, tried = Stories(), Stories()
    for number in range(PER_PLACE):
        assert not told.is_closed(PLACE)
        told.tell(PLACE, error(f"E{number}"))
    for _ in range(ATTEMPTS):
        assert not tried.is_closed(PLACE)
        tried.attempt(PLACE)
    assert told.is_closed(PLACE)
    assert tried.is_closed(PLACE)
