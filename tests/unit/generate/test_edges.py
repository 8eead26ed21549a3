from __future__ import annotations

from pytest_aipipe.generate.edges import MOST, edges, resized
from pytest_aipipe.generate.model import Candidate, Comparison


def variants(call: str, left: str | None, right: str | None) -> list[str]:
    candidate = Candidate("t", "test_it", f"def test_it():\n    {call}\n\n    assert result == 5\n")
    seen = Comparison("shop.py", 2, "<", left, right, taken=True)
    found = [one for one in edges(candidate, [seen]) if one.note == "an edge"]
    assert all(one.function.endswith("\n\n    assert result == 5\n") for one in found)
    return [one.function.splitlines()[1].strip() for one in found]


def test_a_number_is_moved_to_what_it_was_compared_with_and_beside_it() -> None:
    assert variants("result = f(7)", "7", "3") == [
        "result = f(3)",
        "result = f(4)",
        "result = f(2)",
    ]


def test_the_operands_may_stand_either_way_round() -> None:
    assert variants("result = f(-1, 'a')", "0", "-1")[0] == "result = f(0, 'a')"


def test_a_text_or_list_gets_the_length_that_its_length_was_compared_with() -> None:
    assert variants("result = f('abc')", "3", "5") == [
        "result = f('abcab')",
        "result = f('abcabc')",
        "result = f('abca')",
    ]
    assert variants("result = f([1, 2])", "2", "0")[0] == "result = f([])"


def test_a_text_is_replaced_by_the_text_it_was_compared_with() -> None:
    assert variants("result = f('é', 'x')", "'x'", "'yes'") == ["result = f('é', 'yes')"]


def test_what_cannot_be_read_or_is_no_literal_of_the_test_moves_nothing() -> None:
    assert variants("result = f(7)", None, "3") == []
    assert variants("result = f(7)", "object()", "3") == []
    assert variants("result = f(7)", "8", "3") == []
    assert variants("result = f(True)", "1", "3") == []


def test_there_is_a_bound_to_the_variants_of_one_test() -> None:
    call = f"result = f({', '.join(['7'] * 20)})"

    assert len(variants(call, "7", "3")) == MOST


def test_what_is_resized_is_cut_or_repeated() -> None:
    assert resized("ab", 5) == "ababa"
    assert resized([1, 2, 3], 1) == [1]
    assert resized("", 3) == ""


def test_a_default_takes_the_place_of_an_argument() -> None:
    source = "def test_it():\n    result = f('a', 3, mark='-', end='.')\n"

    found = edges(Candidate("t", "test_it", source), [])

    assert [one.function.splitlines()[1].strip() for one in found] == [
        "result = f('a', 3, end='.')",
        "result = f('a', 3, mark='-')",
        "result = f('a', mark='-', end='.')",
    ]
