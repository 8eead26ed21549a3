from __future__ import annotations

import ast

from pytest_aipipe.engines.source.edits import Pool, text_edits


def texts(source: str, near: tuple[str, ...]) -> set[str]:
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    made = (one.function.body[0] for one in text_edits(function, Pool(("order",), near, near)))
    return {ast.unparse(one) for one in made}


def test_a_mark_inside_a_word_is_exchanged_for_another_that_the_guards_look_for() -> None:
    made = texts("def test_a():\n    order('red_hat blue_hat')", ("'_'", "'-'"))
    assert "order('red-hat blue_hat')" in made
    assert "order('red_hat blue-hat')" in made


def test_long_tokens_and_what_the_text_does_not_hold_are_not_exchanged() -> None:
    made = texts("def test_a():\n    order('redhat')", ("'_'", "'hat '"))
    assert "order('red_')" not in made


def test_all_that_a_word_holds_of_a_mark_is_exchanged_at_once() -> None:
    made = texts("def test_a():\n    order('red_hat big__red_hat')", ("'_'", "'-'"))
    assert "order('red_hat big--red-hat')" in made
