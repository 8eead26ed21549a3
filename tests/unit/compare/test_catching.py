from __future__ import annotations

import ast

import pytest

from pytest_aipipe.compare.catching import describes, matched
from pytest_aipipe.compare.model import Difference, Kind


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("'negative'", "negative"),
        ("'^negative$'", "negative"),
        ("r'^cost: 3\\$$'", "cost: 3$"),
        ("r'^a\\.b \\(c\\)'", "a.b (c)"),
        ("'^' + re.escape('a+b') + '$'", "a+b"),
        ("re.escape('a+b')", "a+b"),
        ("pattern", ""),
    ],
)
def test_the_message_is_told_as_it_was_and_not_as_a_pattern(pattern: str, text: str) -> None:
    assert matched(ast.parse(pattern, mode="eval").body) == text


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (Difference(Kind.ERROR, "", "ValueError: a", "no error"), "raises_value_error"),
        (Difference(Kind.ERROR, "", "no error", "KeyError: 1"), "raises_nothing"),
        (Difference(Kind.END, "", "1", "does not come to an end"), "comes_to_an_end"),
        (Difference(Kind.ARGUMENT, "argument", "1", "2"), "leaves_its_arguments_the_same"),
    ],
)
def test_a_test_is_named_by_what_it_states_of_the_base(difference: Difference, words: str) -> None:
    assert describes(difference) == words
