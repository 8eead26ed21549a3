"""The ``match=`` argument of an expected error pins all of its message."""

from __future__ import annotations

import re

import pytest

from pytest_aipipe.assertions.repair import match_argument


def pattern_of(message: str) -> str:
    argument, imports = match_argument(message)
    scope = {"re": re} if imports else {}
    pattern = eval(argument.removeprefix(", match="), scope)
    assert isinstance(pattern, str)
    return pattern


@pytest.mark.parametrize(
    "message",
    [
        "step does not advance: 0",
        "f(2) is slow",
        'no key "a.b" in (((x)))',
        "a back\\slash",
        "'one' and \"two\"",
    ],
)
def test_a_message_is_matched_from_its_start_to_its_end(message: str) -> None:
    pattern = pattern_of(message)

    assert re.search(pattern, message)
    assert not re.search(pattern, f"XX{message}")
    assert not re.search(pattern, f"{message}XX")


def test_of_a_long_message_whole_words_are_matched_from_the_start() -> None:
    message = "word " * 40

    pattern = pattern_of(message)

    assert re.search(pattern, message)
    assert pattern.startswith("^word")
    assert pattern.endswith("word")


def test_a_few_special_characters_are_escaped_in_place() -> None:
    assert match_argument("f(2) is slow") == (r', match=r"^f\(2\) is slow$"', [])


def test_a_message_with_an_address_is_not_matched() -> None:
    assert match_argument("<Shop object at 0x7f0000000000>") == ("", [])
