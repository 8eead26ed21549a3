from __future__ import annotations

import pytest

from aipipe_core.change import Hunk
from pytest_aipipe.compare.announce import Said, announced, prose_of, test_names
from pytest_aipipe.compare.model import Announced, Difference, Kind, Place

PLACE = Place("m.py", "m.py", "m", "Box.resize", frozenset({1}), frozenset({1}))
RAISES = Difference(Kind.ERROR, "", "no error", "ValueError: no")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Said(), Announced.UNANNOUNCED),
        (Said("Fix resize of an empty box"), Announced.INTENDED),
        (Said("resize"), Announced.UNSURE),
        (Said("Fix the door"), Announced.UNSURE),
        (Said("Clean up, typos"), Announced.UNANNOUNCED),
        (Said("Reject it with ValueError"), Announced.INTENDED),
        (Said("x", tests=("test_resize_of_nothing",)), Announced.INTENDED),
        (Said("x", tests=("test_door",)), Announced.UNANNOUNCED),
        (Said("x", prose=("Raises ValueError for nothing.",)), Announced.INTENDED),
    ],
)
def test_what_the_change_says_decides(said: Said, expected: Announced) -> None:
    verdict, reason = announced(RAISES, PLACE, said)
    assert verdict is expected
    assert reason


def test_prose_is_comments_and_text_but_not_code() -> None:
    added = ("# Raises it.", "    A sentence of a docstring.", "    return x", "if x:", ")")
    assert prose_of([Hunk(1, 1, (), added)]) == ("Raises it.", "A sentence of a docstring.")


def test_the_tests_of_added_lines_are_found() -> None:
    lines = ("def test_a():", "    async def test_b(self):", "x = 1")
    assert test_names(lines) == ("test_a", "test_b")
